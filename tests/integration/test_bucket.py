"""The service on a real S3 server, behind a proxy that fails: nothing is lost, and no archive is short."""

import socket
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from uuid import uuid4

import pytest

from tests.fault_proxy import Fault, FaultProxy
from tests.integration.running_service import RunningService, wait_until
from tests.s3 import BUCKET, S3Server
from tests.tiny import PLAIN, save_checkpoint
from tests.unit.conftest import spec_of
from worker.contracts.queue.redis_keys import MODELS_KEY

SIZES = (1, 700, 1)
FAULTS: tuple[Fault, ...] = ("none", "503 after storing", "409 without storing", "reset after storing", "some 503")


@pytest.fixture(scope="module")
def proxy(s3: S3Server) -> Iterator[FaultProxy]:
    with FaultProxy(s3.port) as running:
        yield running


@pytest.fixture(scope="module")
def distant(s3: S3Server, proxy: FaultProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """The API and two workers that share a bucket behind the proxy."""
    folder = tmp_path_factory.mktemp("distant")
    save_checkpoint(folder / "models", PLAIN)
    environment = s3.environment(proxy.port)
    service = RunningService(folder, IMAGEMILL_STORE=f"s3://{BUCKET}/{uuid4().hex}", **environment)
    try:
        service.start_workers({}, {})
        yield service
    finally:
        service.close()


@pytest.fixture(autouse=True)
def _whole(proxy: FaultProxy) -> Iterator[None]:
    yield
    proxy.fault = "none"


@pytest.fixture
def expected(service: RunningService, made: dict[int, bytes]) -> dict[int, bytes]:
    """The archives that a service on a local disk makes, by their number of images."""
    for n in set(SIZES) - set(made):
        made[n] = service.download(service.wait_done(service.generate(n, seed=6)["id"])["id"])
    return made


@pytest.fixture(scope="module")
def made() -> dict[int, bytes]:
    return {}


def accepted(service: RunningService, n: int) -> str:
    """Ask until a job is accepted, as the answers tell."""
    found = list[str]()

    def is_accepted() -> bool:
        answer = service.client.post("/generate", params={"n": n, "seed": 6})
        if answer.status_code != HTTPStatus.ACCEPTED:
            assert answer.json()["retryable"], answer.text
            return False
        found.append(answer.json()["id"])
        return True

    wait_until(is_accepted)
    return found[-1]


@pytest.mark.parametrize("fault", FAULTS)
def test_every_accepted_job_has_the_bytes_of_a_local_disk(
    distant: RunningService, proxy: FaultProxy, expected: dict[int, bytes], fault: Fault
) -> None:
    proxy.fault, hits = fault, proxy.hits
    jobs = [(n, accepted(distant, n)) for n in SIZES]
    for n, job in jobs:
        assert distant.wait_done(job)["state"] == "succeeded"
        assert distant.download(job) == expected[n]
    assert (proxy.hits > hits) == (fault != "none")


def test_a_bucket_that_is_away_for_a_while_delays_a_job(
    distant: RunningService, proxy: FaultProxy, expected: dict[int, bytes]
) -> None:
    job = accepted(distant, 700)
    proxy.fault, hits = "all 503", proxy.hits
    wait_until(lambda: proxy.hits > hits + 20)
    answer = distant.client.post("/generate", params={"n": 1})
    assert (answer.status_code, answer.json()["code"], answer.json()["retryable"]) == (503, "store_unavailable", True)
    assert answer.elapsed.total_seconds() < 10
    ready = distant.client.get("/readyz")
    assert (ready.status_code, ready.json()["code"]) == (503, "store_unavailable")
    assert ready.elapsed.total_seconds() < 4
    proxy.fault = "none"
    assert distant.wait_done(job)["state"] == "succeeded"
    assert distant.download(job) == expected[700]


def paused(service: RunningService) -> list[str]:
    """Why workers take no tasks, as /readyz tells."""
    answer = service.client.get("/readyz").json()
    return [worker["reason"] for worker in answer.get("workers", {}).get("paused", [])]


def test_a_worker_with_wrong_credentials_takes_no_tasks_and_says_so(
    distant: RunningService, expected: dict[int, bytes]
) -> None:
    before = metric(distant, "imagemill_tasks_dropped_total")
    wrong = distant.start_paused_worker(AWS_SECRET_ACCESS_KEY="wrong")
    try:
        wait_until(lambda: paused(distant) == ["403 SignatureDoesNotMatch: correct AWS_SECRET_ACCESS_KEY"])
        job = accepted(distant, 700)
        assert distant.wait_done(job)["state"] == "succeeded"
        assert distant.download(job) == expected[700]
        ready = distant.client.get("/readyz")
        assert (ready.status_code, ready.json()["workers"]["working"]) == (200, 2)
        assert metric(distant, "imagemill_workers_paused{") == 1
        assert metric(distant, "imagemill_workers{") == 2
        assert metric(distant, "imagemill_tasks_dropped_total") == before
    finally:
        wrong.terminate()
        wrong.wait()
    wait_until(lambda: not paused(distant))
    said = (distant.folder / f"worker-{len(distant.workers)}.log").read_text()
    assert said.count("worker takes no tasks") == 1
    assert "Traceback" not in said
    assert "Debug source" not in said


def test_a_worker_that_loses_its_rights_gives_its_tasks_back_and_returns_by_itself(
    s3: S3Server, distant: RunningService, expected: dict[int, bytes]
) -> None:
    with FaultProxy(s3.port) as own:
        distant.start_worker(**s3.environment(own.port))
        try:
            jobs = [accepted(distant, 700) for _ in range(3)]
            own.fault = "all 403"
            for job in jobs:
                assert distant.wait_done(job)["state"] == "succeeded"
                assert distant.download(job) == expected[700]
            accepted(distant, 700)  # so that it takes one if it has not yet
            wait_until(lambda: ["403 AccessDenied" in reason for reason in paused(distant)] == [True])
            own.fault = "none"
            wait_until(lambda: not paused(distant))
        finally:
            distant.end_worker(distant.workers[-1])


def metric(service: RunningService, name: str) -> float:
    """Sum a metric over its labels."""
    lines = service.client.get("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def test_a_bucket_that_is_not_there_is_told_by_the_api_and_by_the_worker(s3: S3Server, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "models", PLAIN)
    service = RunningService(tmp_path, IMAGEMILL_STORE="s3://another/store", **s3.environment())
    try:
        service.start_paused_worker()
        ready = service.client.get("/readyz")
        assert (ready.status_code, ready.json()["code"]) == (503, "no_worker")
        assert "404 NoSuchBucket: create the bucket" in ready.json()["parts"]["worker"]
        assert "404 NoSuchBucket: create the bucket" in ready.json()["parts"]["store"]
        refused = service.client.post("/generate", params={"n": 1})
        assert (refused.status_code, refused.json()["retryable"]) == (503, True)
        refused = service.client.get(f"/jobs/{'x' * 22}")
        assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
        assert "correct IMAGEMILL_STORE" in refused.json()["detail"]
        said = service.api_log.read_text()
        assert "NoSuchBucket: create the bucket, or correct IMAGEMILL_STORE" in said
        assert "Debug source" not in said
    finally:
        service.close()


@pytest.mark.parametrize("silent", ["bucket", "metadata service"])
def test_an_api_gives_up_what_does_not_answer(tmp_path: Path, silent: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        keys = {"AWS_ENDPOINT": address, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
        environment = keys if silent == "bucket" else {"AWS_METADATA_ENDPOINT": address}
        service = RunningService(tmp_path, IMAGEMILL_STORE="s3://mill/store", AWS_ALLOW_HTTP="true", **environment)
        try:
            model = spec_of().model
            service.redis.hset(MODELS_KEY, model.name, model.model_dump_json())
            service.client.get("/healthz")
            ready = service.client.get("/readyz")
            refused = service.client.post("/generate", params={"n": 1})
        finally:
            service.close()
    assert "the artifact store cannot be written" in ready.json()["parts"]["store"]
    assert ready.elapsed.total_seconds() < 4
    assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
    assert refused.elapsed.total_seconds() < 15  # 8.5 s on a quiet machine, the sum of several time limits
    assert ("AWS_ACCESS_KEY_ID" in refused.json()["detail"]) == (silent == "metadata service")
