"""Workers that have different models, other checkpoints of one name, or no weights for styles."""

import io
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from safetensors.torch import save_file

from tests.integration.running_service import RunningService, wait_until
from tests.tiny import PLAIN, save_checkpoint, vgg19_tensors

OTHER = "other"
MOST_BYTES = 60_000
"""Of a file: more than the worker's log, less than a shard of 256 images."""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """The service with a worker that has one model, and a worker that has another one."""
    folder = tmp_path_factory.mktemp("fleet")
    save_checkpoint(folder / "models", PLAIN)
    save_checkpoint(folder / "others", OTHER)
    service = RunningService(folder)
    try:
        service.start_workers({}, others(service))
        yield service
    finally:
        service.close()


def others(service: RunningService) -> dict[str, str]:
    return {"IMAGEMILL_MODELS": str(service.folder / "others")}


def test_every_job_finds_the_worker_that_has_its_model(fleet: RunningService) -> None:
    jobs = [fleet.generate(n, model=model, seed=n) for n in (1, 900, 2) for model in (PLAIN, OTHER) * 2]
    ended = [fleet.wait_done(job["id"]) for job in jobs]
    assert {job["state"] for job in ended} == {"succeeded"}
    assert fleet.queue_is_empty()


def test_a_job_waits_for_the_model_of_a_worker_that_is_started_again(fleet: RunningService) -> None:
    job = fleet.generate(900, model=OTHER)
    fleet.wait_rendering(job["id"])
    fleet.end_worker(fleet.workers[1])
    own = fleet.wait_done(fleet.generate(900, model=PLAIN)["id"])
    assert own["state"] == "succeeded"  # what waits for another worker holds nobody up
    assert not fleet.job(job["id"])["done"]
    fleet.start_worker(**others(fleet))
    assert fleet.wait_done(job["id"])["state"] == "succeeded"


def test_a_job_that_ends_without_the_worker_that_has_its_model_leaves_the_line(fleet: RunningService) -> None:
    job = fleet.generate(3000, model=OTHER)
    fleet.wait_rendering(job["id"])
    fleet.end_worker(fleet.workers[1])
    assert not fleet.queue_is_empty()
    assert fleet.client.post(f"/jobs/{job['id']}/cancel").is_success
    wait_until(fleet.queue_is_empty)
    fleet.start_worker(**others(fleet))


def test_a_checkpoint_is_replaced_worker_by_worker(fleet: RunningService, tmp_path: Path) -> None:
    save_checkpoint(tmp_path, PLAIN, architecture="residual")
    old = fleet.generate(900, seed=4)
    fleet.wait_rendering(old["id"])
    fleet.start_worker(IMAGEMILL_MODELS=str(tmp_path))
    jobs = [fleet.wait_done(fleet.generate(20, seed=4)["id"]) for _ in range(6)]
    jobs.append(fleet.wait_done(old["id"]))
    assert {job["state"] for job in jobs} == {"succeeded"}
    hashes = {(job["model_sha256"], tuple(fleet.job_hashes(job["id"])[:20])) for job in jobs}
    assert len(hashes) == len({sha256 for sha256, _ in hashes})  # each checkpoint has its images
    fleet.end_worker(fleet.workers[-1])


def test_styled_jobs_go_to_workers_that_have_the_weights(fleet: RunningService, tmp_path: Path) -> None:
    save_file(vgg19_tensors(), tmp_path / "vgg.safetensors")
    fleet.start_worker(IMAGEMILL_VGG19=str(tmp_path / "vgg.safetensors"))
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(file, "PNG")
    style = fleet.client.post("/styles", files={"file": file.getvalue()}).json()["id"]
    jobs = [fleet.generate(3, style=style, style_steps=1, seed=k) for k in range(2)]
    jobs.append(fleet.generate(3, style=style, style_mode="distilled", style_steps=2))
    assert {fleet.wait_done(job["id"])["state"] for job in jobs} == {"succeeded"}
    fleet.end_worker(fleet.workers[-1])


@pytest.mark.skipif(sys.platform != "linux", reason="limits the files of another process, which only Linux does")
def test_a_disk_without_room_pauses_a_worker_until_there_is_some(fleet: RunningService) -> None:
    worker, log = fleet.workers[0], fleet.folder / "worker-0.log"
    before = len(log.read_text())
    _, hard = resource.prlimit(worker.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (MOST_BYTES, hard))
    job = fleet.generate(900)
    wait_until(lambda: "worker takes no tasks" in log.read_text()[before:])
    wait_until(lambda: "workers" in fleet.client.get("/readyz").json())
    assert not fleet.job(job["id"])["done"]
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (hard, hard))
    assert fleet.wait_done(job["id"])["state"] == "succeeded"
    wait_until(lambda: "workers" not in fleet.client.get("/readyz").json())
    assert "Traceback" not in log.read_text()[before:]
