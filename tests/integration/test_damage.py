"""Jobs that have succeeded, and lose something in the store afterwards."""

import io
import signal
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.older_worker import OLDER_WORKER
from tests.integration.running_service import RunningService
from tests.tiny import LABELLED, PLAIN

Spoil = Callable[[Path], None]


def gone(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def spoil_file(service: RunningService, job_id: str, pattern: str, spoil: Spoil) -> None:
    """Spoil the one object of a settled job that matches a pattern."""
    (path,) = (service.folder / "store" / "jobs" / job_id).glob(pattern)
    spoil(path)


OBJECTS = ["shards/00000.*.bin", "shards/00001.*.bin", "shards/00000.json", "tail.bin", "archive.json"]


@pytest.mark.parametrize("pattern", OBJECTS)
@pytest.mark.parametrize("spoil", [gone, empty, cut_short, zeroed])
def test_a_rebuild_brings_back_the_same_bytes(service: RunningService, pattern: str, spoil: Spoil) -> None:
    job = service.wait_done(service.generate(40, seed=8, model=PLAIN)["id"])
    archive = service.download(job["id"])
    spoil_file(service, job["id"], pattern, spoil)
    answer = service.client.post(job["links"]["rebuild"])
    assert answer.status_code in (200, 202), answer.text
    rebuilt = service.wait_done(answer.json()["id"])
    assert rebuilt["state"] == "succeeded"
    assert rebuilt["id"] != job["id"]
    assert service.download(rebuilt["id"]) == archive
    assert service.client.post(job["links"]["rebuild"]).json()["id"] == rebuilt["id"]


@pytest.mark.parametrize("spoil", [gone, empty, zeroed])
@pytest.mark.parametrize("layout", [{"layout": "parquet"}, {"format": "npz"}])
def test_images_that_were_laid_out_again_are_brought_back(
    service: RunningService, layout: dict[str, str], spoil: Spoil
) -> None:
    job = service.wait_done(service.generate(40, seed=8, model=LABELLED, keep=0.5, **layout)["id"])
    assert service.client.post(job["links"]["rebuild"]).json()["id"] == job["id"]
    archive = service.download(job["id"])
    for path in (service.folder / "store" / "jobs" / job["id"]).glob("merged/*.bin"):
        spoil(path)
    rebuilt = service.wait_done(service.client.post(job["links"]["rebuild"]).json()["id"])
    assert rebuilt["id"] != job["id"]
    assert service.download(rebuilt["id"]) == archive


def test_a_rebuilt_job_that_is_damaged_is_rebuilt_again(service: RunningService) -> None:
    job = service.wait_done(service.generate(3, seed=8)["id"])
    archive = service.download(job["id"])
    ids = [job["id"]]
    for _ in range(2):
        spoil_file(service, ids[-1], "tail.bin", gone)
        ids.append(service.client.post(job["links"]["rebuild"]).json()["id"])
        service.wait_done(ids[-1])
    assert len(set(ids)) == 3
    assert service.download(ids[-1]) == archive


@pytest.mark.parametrize("more", [{}, {"keep": 0.5}])
@pytest.mark.parametrize("pattern", ["shards/00000.*.bin", "shards/00000.json"])
def test_an_extension_of_a_damaged_job_renders_all_images(
    service: RunningService, pattern: str, more: dict[str, float]
) -> None:
    job = service.wait_done(service.generate(12, seed=8, model=LABELLED, **more)["id"])
    whole = service.wait_done(service.generate(15, seed=8, model=LABELLED, **more)["id"])
    spoil_file(service, job["id"], pattern, zeroed)
    answer = service.client.post(job["links"]["extend"], params={"n": 3})
    assert answer.status_code == 202, answer.text
    extended = service.wait_done(answer.json()["id"])
    assert (extended["state"], extended["extends"]) == ("succeeded", None)
    assert image_bytes(service.download(extended["id"])) == image_bytes(service.download(whole["id"]))


@pytest.mark.parametrize("spoil", [gone, zeroed])
def test_a_damaged_job_is_curated_after_its_rebuild_only(service: RunningService, spoil: Spoil) -> None:
    job = service.wait_done(service.generate(12, seed=8, model=PLAIN)["id"])
    spoil_file(service, job["id"], "shards/00000.*.bin", spoil)
    refused = service.client.post(job["links"]["curate"], json={"exclude": [1]})
    assert (refused.status_code, refused.json()["code"]) == (500, "artifact_damaged")
    rebuilt = service.wait_done(service.client.post(job["links"]["rebuild"]).json()["id"])
    curated = service.client.post(rebuilt["links"]["curate"], json={"exclude": [1]})
    assert service.wait_done(curated.json()["id"])["state"] == "succeeded"


def image_bytes(archive: bytes) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return [opened.read(name) for name in opened.namelist() if name.endswith(".png")]


def test_the_rebuild_of_a_whole_job_is_the_job_itself(service: RunningService) -> None:
    job = service.wait_done(service.generate(3)["id"])
    answer = service.client.post(job["links"]["rebuild"])
    assert (answer.status_code, answer.json()["id"]) == (200, job["id"])


def test_a_job_whose_end_cannot_be_read_is_rebuilt(service: RunningService) -> None:
    job = service.wait_done(service.generate(3, seed=8)["id"])
    archive = service.download(job["id"])
    spoil_file(service, job["id"], "state.json", cut_short)
    rebuilt = service.wait_done(service.client.post(job["links"]["rebuild"]).json()["id"])
    assert service.download(rebuilt["id"]) == archive


@pytest.mark.parametrize("pattern", OBJECTS)
@pytest.mark.parametrize("spoil", [gone, empty])
def test_a_download_is_never_short(service: RunningService, pattern: str, spoil: Spoil) -> None:
    job = service.wait_done(service.generate(40, seed=8, model=PLAIN)["id"])
    spoil_file(service, job["id"], pattern, spoil)
    try:
        answer = service.client.get(job["links"]["download"])
    except httpx.RemoteProtocolError:
        assert pattern in ("shards/00001.*.bin", "tail.bin")  # not the first part: the connection breaks off
        return
    if pattern == "shards/00000.json":
        assert answer.status_code == 200  # the archive does not need it
        return
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["retryable"]) == (500, "artifact_damaged", False)
    assert "rebuild" in problem["detail"]


@pytest.fixture(scope="module")
def older(running_service: RunningService) -> Iterator[RunningService]:
    """The service with a worker whose images by address are jobs."""
    running_service.end_workers(signal.SIGTERM)
    running_service.start_worker(OLDER_WORKER)
    yield running_service
    running_service.end_workers(signal.SIGTERM)


@pytest.mark.parametrize(
    ("pattern", "spoil"),
    [("shards/*.bin", gone), ("shards/*.json", gone), ("shards/*.bin", empty), ("shards/*.bin", zeroed)],
)
def test_an_image_that_is_gone_is_told_and_its_address_makes_it_again(
    older: RunningService, pattern: str, spoil: Spoil
) -> None:
    address = f"/images/{PLAIN}/{sum(map(ord, pattern + spoil.__name__))}/5.png"
    image = older.client.get(address)
    assert image.status_code == 200
    job_id = max((older.folder / "store" / "jobs").iterdir(), key=lambda path: path.stat().st_mtime_ns).name
    older.wait_done(job_id)
    spoil_file(older, job_id, pattern, spoil)
    told = older.client.get(f"/jobs/{job_id}/images/5.png")
    assert (told.status_code, told.json()["code"]) == (500, "artifact_damaged")
    again = older.client.get(address)
    assert (again.status_code, again.content) == (200, image.content)


def test_a_job_that_failed_as_something_of_it_was_damaged_is_retried(idle_service: RunningService) -> None:
    job = idle_service.generate(3)
    shards = idle_service.folder / "store" / "jobs" / job["id"] / "shards"
    shards.mkdir()
    (shards / "00000.json").write_bytes(b"{")
    idle_service.start_worker()
    ended = idle_service.wait_done(job["id"])
    assert (ended["state"], ended["error"]["code"], ended["error"]["retryable"]) == ("failed", "artifact_damaged", True)
    again = idle_service.client.post(ended["links"]["retry"]).json()
    assert idle_service.wait_done(again["id"])["state"] == "succeeded"
