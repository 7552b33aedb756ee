import pytest

from benchmarks.scaling.saturation import Capacities, capacity, narrowest, of_long_jobs, of_single_images

FOUND = Capacities(
    worker_images=50_000,
    worker_jobs=400,
    store_images=90_000,
    queue_images=10_000_000,
    queue_jobs=4000,
    api_jobs=700,
    api_images=100_000,
    images_per_batch=256,
)


@pytest.mark.parametrize(
    ("gpus", "images_per_s", "name", "limit"),
    [
        (4, 20_000, "GPUs", 80_000),
        (5, 20_000, "store", 90_000),
        (1, 60_000, "workers beside their GPUs", 50_000),
    ],
)
def test_long_jobs_are_limited_by_their_narrowest_layer(
    gpus: int, images_per_s: float, name: str, limit: float
) -> None:
    found = narrowest(of_long_jobs(FOUND, gpus, images_per_s))
    assert (found.name, found.per_s) == (name, limit)


def test_a_job_of_one_image_costs_its_gpu_a_batch() -> None:
    found = narrowest(of_single_images(FOUND, 2, 25_600))
    assert (found.name, found.per_s) == ("GPUs", 200)


def test_more_gpus_end_at_what_one_api_process_accepts() -> None:
    found = narrowest(of_single_images(FOUND, 64, 25_600))
    assert (found.name, found.per_s) == ("requests to one API process", 700)


@pytest.mark.parametrize(("seconds", "cpu_seconds", "expected"), [(2, 0.5, 200), (2, 4, 50), (2, 0, 50)])
def test_a_layer_has_a_core_of_its_own_or_what_it_had(seconds: float, cpu_seconds: float, expected: float) -> None:
    assert capacity(100, seconds, cpu_seconds) == expected
