"""Images by address that a worker sends directly: no job, no file, and no waiting behind a long job."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.calibrated_gate import save_calibrated_gate
from tests.integration.older_worker import OLDER_WORKER
from tests.integration.running_service import RunningService, wait_until
from tests.integration.test_problems import problem
from tests.tiny import CLASSES, LABELLED, PLAIN, save_checkpoint

OTHER = "other"
SUFFIXES = {"png": "png", "webp": "webp", "jpeg": "jpg"}


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service of its own, because these tests end all of its workers."""
    folder = tmp_path_factory.mktemp("direct")
    for name, classes in ((PLAIN, ()), (LABELLED, CLASSES)):
        save_checkpoint(folder / "models", name, classes)
    save_checkpoint(folder / "other", OTHER, architecture="residual")
    save_calibrated_gate(folder / "models" / f"{LABELLED}.safetensors")
    service = RunningService(folder)
    yield service
    service.close()


@pytest.fixture
def working(direct: RunningService) -> RunningService:
    """The service with one worker."""
    if not direct.workers:
        direct.start_worker()
    return direct


def stored(service: RunningService) -> set[tuple[Path, int]]:
    """List all files of the store, with their times, when all jobs are settled."""
    wait_until(lambda: not list((service.folder / "store" / "open").iterdir()))
    found = set()
    for path in (service.folder / "store").rglob("*"):
        with suppress(FileNotFoundError):  # workers check the store by small files
            # The digest of an archive is written some time after the end of its job.
            if path.is_file() and "check" not in path.name and path.name != "digest.json":
                found.add((path, path.stat().st_mtime_ns))
    return found


def left_in_redis(service: RunningService) -> int:
    """Count the requests, lists and replies in Redis."""
    return len(service.redis.keys("imagemill:direct*"))


def image(service: RunningService, path: str, **query: Any) -> httpx.Response:
    response = service.client.get(path, params=query)
    assert response.status_code == 200, response.text
    return response


@pytest.mark.parametrize("kind", list(SUFFIXES))
@pytest.mark.parametrize(
    ("model", "query"), [(PLAIN, {}), (LABELLED, {}), (LABELLED, {"class": CLASSES[2]}), (OTHER, {})]
)
def test_the_bytes_are_those_of_any_job(working: RunningService, kind: str, model: str, query: dict[str, str]) -> None:
    if model == OTHER and len(working.workers) == 1:
        working.start_worker(IMAGEMILL_MODELS=str(working.folder / "other"))
    job = working.wait_done(working.generate(40, seed=21, start=5, model=model, format=kind, **query)["id"])
    before = stored(working)
    for index in (5, 15, 16, 44):
        expected = working.client.get(f"/jobs/{job['id']}/images/{index}.{SUFFIXES[kind]}")
        found = image(working, f"/images/{model}/21/{index}.{SUFFIXES[kind]}", **query)
        assert found.content == expected.content
        assert found.headers["ETag"] == expected.headers["ETag"]
        assert found.headers["Content-Type"] == f"image/{kind}" == expected.headers["Content-Type"]
    assert stored(working) == before


def test_an_address_without_a_class_has_the_class_of_its_index(working: RunningService) -> None:
    job = working.wait_done(working.generate(40, seed=3, model=LABELLED, keep=0.5)["id"])
    addressed = 0
    for index in range(40):
        kept = working.client.get(f"/jobs/{job['id']}/images/{index}.png")
        if kept.status_code == 200:
            assert image(working, f"/images/{LABELLED}/3/{index}.png").content == kept.content
            addressed += 1
    assert addressed > 5


def test_nothing_is_left_in_the_store_or_the_queue_server(working: RunningService) -> None:
    files, keys = stored(working), set(working.redis.keys("rq:*"))
    for index in range(100):
        image(working, f"/images/{PLAIN}/22/{index}.png")
    assert stored(working) == files
    assert working.client.get(f"/images/{PLAIN}/22/0.png?class=x").status_code == 422
    assert not left_in_redis(working)
    assert set(working.redis.keys("rq:*")) <= keys
    assert working.queue_is_empty()


def test_head_and_etag_work_as_for_other_images(working: RunningService) -> None:
    path = f"/images/{PLAIN}/23/5.png"
    whole, head = image(working, path), working.client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["ETag"] == whole.headers["ETag"]
    assert head.headers["Content-Length"] == str(len(whole.content))
    assert whole.headers["Cache-Control"] == "no-cache"
    same = working.client.get(path, headers={"If-None-Match": whole.headers["ETag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert working.client.get(path, headers={"If-Match": '"none"'}).status_code == 412


def test_many_requests_at_once_all_get_their_own_image(working: RunningService) -> None:
    job = working.wait_done(working.generate(60, seed=24)["id"])
    expected = [working.client.get(f"/jobs/{job['id']}/images/{index}.png").content for index in range(60)]
    with ThreadPoolExecutor(60) as pool:
        found = list(
            pool.map(lambda k: httpx.get(f"{working.url}/images/{PLAIN}/24/{k % 60}.png", timeout=30), range(240))
        )
    assert [answer.content for answer in found] == expected * 4


def test_an_image_does_not_wait_for_a_long_job(working: RunningService) -> None:
    job = working.generate(50_000, seed=25)
    working.wait_rendering(job["id"])
    expected = [working.client.get(f"/jobs/{job['id']}/images/{index}.png").content for index in range(16)]
    seconds = []
    for _ in range(5):
        for index in range(16):
            began = time.monotonic()
            assert image(working, f"/images/{PLAIN}/25/{index}.png").content == expected[index]
            seconds.append(time.monotonic() - began)
    assert not working.job(job["id"])["done"]
    working.client.post(job["links"]["cancel"])
    assert sorted(seconds)[40] < 0.5  # a shard of the job takes a second; the goal of 60 ms is for an idle machine


def test_workers_with_other_models_get_only_their_own_requests(direct: RunningService) -> None:
    direct.end_workers(signal.SIGTERM)
    direct.start_workers({}, {"IMAGEMILL_MODELS": str(direct.folder / "other")})
    with ThreadPoolExecutor(8) as pool:
        paths = [f"/images/{(PLAIN, OTHER)[k % 2]}/26/{k}.png" for k in range(40)]
        assert {each.status_code for each in pool.map(direct.client.get, paths)} == {200}
    direct.end_worker(direct.workers[0])
    assert image(direct, f"/images/{OTHER}/26/1.png").content
    refused = problem(direct.client.get(f"/images/{PLAIN}/26/0.png"))
    assert (refused["status"], refused["code"], refused["retryable"]) == (503, "no_worker", True)
    direct.end_workers(signal.SIGTERM)


def test_a_killed_worker_costs_one_repetition(direct: RunningService) -> None:
    direct.end_workers(signal.SIGTERM)
    worker = direct.start_worker()
    expected = image(direct, f"/images/{PLAIN}/27/1.png").content
    worker.send_signal(signal.SIGSTOP)  # the queue server hands it the request, and it dies before it replies
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(httpx.get, f"{direct.url}/images/{PLAIN}/27/1.png", timeout=60)
        wait_until(lambda: bool(direct.redis.keys("imagemill:direct-request:*")))
        began = time.monotonic()
        worker.kill()
        worker.wait()
        direct.workers.clear()
        direct.start_worker()
        answer = asked.result()
    assert (answer.status_code, answer.content) == (200, expected)
    assert time.monotonic() - began < 15
    wait_until(lambda: not left_in_redis(direct))  # the repeated request may have been listed twice


def test_a_worker_that_starts_again_answers_the_requests_that_wait(direct: RunningService) -> None:
    direct.end_workers(signal.SIGTERM)
    worker = direct.start_worker()
    expected = [image(direct, f"/images/{PLAIN}/28/{index}.png").content for index in range(10)]
    with ThreadPoolExecutor(10) as pool:
        asked = [pool.submit(httpx.get, f"{direct.url}/images/{PLAIN}/28/{k % 10}.png", timeout=60) for k in range(100)]
        worker.send_signal(signal.SIGTERM)
        worker.wait(30)
        direct.workers.clear()
        direct.start_worker()
        answers = [each.result() for each in asked]
    assert {answer.status_code for answer in answers} == {200}
    assert [answer.content for answer in answers] == expected * 10


def test_a_client_that_goes_away_withdraws_its_request(working: RunningService) -> None:
    (worker,) = working.workers
    worker.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{working.url}/images/{PLAIN}/31/1.png", timeout=0.5)
        wait_until(lambda: not left_in_redis(working), 5)
    finally:
        worker.send_signal(signal.SIGCONT)
    assert image(working, f"/images/{PLAIN}/31/1.png")


def test_without_a_worker_that_answers_directly_the_image_is_a_job(direct: RunningService) -> None:
    direct.end_workers(signal.SIGTERM)
    direct.start_worker(OLDER_WORKER)
    jobs = direct.folder / "store" / "jobs"
    before = len(list(jobs.iterdir()))
    first, second = (image(direct, f"/images/{PLAIN}/32/7.png").content for _ in range(2))
    assert len(list(jobs.iterdir())) == before + 1
    direct.end_workers(signal.SIGTERM)
    direct.start_worker()
    assert image(direct, f"/images/{PLAIN}/32/7.png").content == first == second
    assert len(list(jobs.iterdir())) == before + 1


def test_a_worker_that_cannot_use_the_store_still_sends_images(direct: RunningService) -> None:
    direct.end_workers(signal.SIGTERM)
    direct.start_paused_worker(
        IMAGEMILL_STORE="s3://none/store", AWS_ENDPOINT="http://127.0.0.1:9", AWS_ALLOW_HTTP="true", AWS_REGION="none"
    )
    files = stored(direct)
    assert image(direct, f"/images/{PLAIN}/33/1.png")
    assert stored(direct) == files


def test_garbage_in_the_lists_does_not_end_the_thread(working: RunningService) -> None:
    (entry,) = [each for each in working.client.get("/models").json()["models"] if each["name"] == PLAIN]
    key = f"imagemill:direct:{entry['numerics']['name']}:{entry['sha256']}"
    names = [os.urandom(16).hex() for _ in range(4)]
    for name, value in zip(names, (b"", b"{", b"\xff", b'{"process_id": "x", "spec": ""}'), strict=True):
        working.redis.set(f"imagemill:direct-request:{name}", value, ex=30)
    working.redis.rpush(key, *names, b"\xff\xfe", b"")
    assert image(working, f"/images/{PLAIN}/34/1.png")
    assert working.redis.llen(key) == 0


def test_direct_images_are_counted(working: RunningService) -> None:
    def counted() -> float:
        lines = working.client.get("/metrics").text.splitlines()
        name = f'imagemill_direct_images_total{{model="{PLAIN}"}} '
        return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))

    before = counted()
    for index in range(3):
        image(working, f"/images/{PLAIN}/35/{index}.png")
    wait_until(lambda: counted() >= before + 3)
