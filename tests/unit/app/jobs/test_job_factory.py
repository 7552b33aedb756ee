"""How jobs are cut into shards. The other parts of a specification are tested over HTTP."""

from collections.abc import Sequence

import pytest

from app.jobs.job_factory import choose_cut
from tests.unit.conftest import spec_of
from worker.contracts.catalog import CatalogEntry, Numerics, WorkerEntry
from worker.contracts.cut import Cut

CPU, GPU = Numerics(name="cpu-bfloat16", batch_size=16), Numerics(name="cuda-h100-bfloat16", batch_size=256)


def model_on(numerics: Numerics, resolution: int = 64) -> CatalogEntry:
    return spec_of().model.model_copy(update={"numerics": numerics, "resolution": resolution})


def workers_of(model: CatalogEntry, speeds: Sequence[float | None]) -> list[WorkerEntry]:
    return [
        WorkerEntry(
            name=f"w{number}",
            device="cpu",
            numerics=model.numerics,
            models=(model.name,),
            sha256s=(model.sha256,),
            images_per_s=speed,
        )
        for number, speed in enumerate(speeds)
    ]


@pytest.mark.parametrize(
    ("numerics", "speeds", "cut"),
    [
        (CPU, [None], Cut(first=16, most=256)),
        (CPU, [3000.0, None], Cut(first=16, most=3008)),
        (GPU, [None], Cut(first=1024, most=4096)),
        (GPU, [20_000.0], Cut(first=1024, most=19_968)),
        (GPU, [100.0], Cut(first=256, most=256)),
    ],
)
def test_a_full_sized_shard_takes_about_a_second(numerics: Numerics, speeds: list[float | None], cut: Cut) -> None:
    model = model_on(numerics)
    assert choose_cut(model, workers_of(model, speeds), None) == cut


def test_a_shard_fits_into_the_memory_of_a_worker() -> None:
    model = model_on(GPU, resolution=512)
    assert choose_cut(model, workers_of(model, [20_000.0]), None) == Cut(first=256, most=256)
