"""The extension of jobs, over HTTP."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.client import Client
from tests.integration.guarded import Guarded
from tests.integration.running_service import RunningService
from tests.integration.test_problems import problem
from tests.tiny import LABELLED


def extend(service: RunningService, job: dict[str, Any], n: int) -> dict[str, Any]:
    response = service.client.post(job["links"]["extend"], params={"n": n})
    assert response.status_code in (200, 202), response.text
    return service.wait_done(response.json()["id"])


def archive(service: RunningService, job: dict[str, Any]) -> bytes:
    return service.client.get(job["links"]["download"]).raise_for_status().content


def data_files(service: RunningService, job: dict[str, Any]) -> int:
    shards = service.folder / "store" / "jobs" / job["id"] / "shards"
    return sum(path.stat().st_size for path in shards.glob("*.bin"))


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"format": "webp"},
        {"format": "npz"},
        {"format": "npz", "model": LABELLED, "keep": 0.5},
        {"layout": "parquet"},
        {"layout": "parquet", "model": LABELLED, "keep": 0.5, "copies": "drop"},
        {"layout": "webdataset", "format": "jpeg", "model": LABELLED},
        {"start": 7, "model": LABELLED},
        {"model": LABELLED, "keep": 0.5, "distinct": 2},
    ],
)
def test_an_extension_is_a_job_of_all_images_and_renders_the_new_ones_only(
    service: RunningService, query: dict[str, Any]
) -> None:
    first = service.wait_done(service.generate(50, seed=1, **query)["id"])
    second = extend(service, first, 30)
    third = extend(service, second, 45)
    assert [job["state"] for job in (first, second, third)] == ["succeeded"] * 3
    assert [job["n"] for job in (second, third)] == [80, 125]
    assert [job["extends"] for job in (first, second, third)] == [None, first["id"], second["id"]]
    whole = service.wait_done(service.generate(125, seed=1, **query)["id"])
    assert archive(service, third) == archive(service, whole)
    assert third["next_start"] == whole["next_start"]
    assert data_files(service, third) < 0.6 * data_files(service, whole)


def test_asked_twice_it_is_the_same_job(service: RunningService) -> None:
    first = service.wait_done(service.generate(10, seed=2, name="grown")["id"])
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: extend(service, first, 5), range(8)))
    assert len({job["id"] for job in found}) == 1
    assert extend(service, first, 6)["id"] != found[0]["id"]
    assert found[0]["name"] == "grown"
    assert service.client.get("/jobs?name=grown").json()["jobs"][1]["id"] == found[0]["id"]


def test_a_job_that_has_not_succeeded_cannot_be_extended(service: RunningService) -> None:
    job = service.generate(20_000, seed=3)
    running = service.client.post(job["links"]["extend"], params={"n": 5})
    assert (problem(running)["status"], problem(running)["code"]) == (409, "job_running")
    assert running.headers["Retry-After"] == "1"
    service.client.post(job["links"]["cancel"])
    ended = problem(service.client.post(job["links"]["extend"], params={"n": 5}))
    assert (ended["status"], ended["code"]) == (409, "job_ended")
    assert "cancelled" in ended["detail"]


@pytest.mark.parametrize("query", ["", "?n=0", "?n=-1", "?n=x", "?n=1.0", "?n=999999999", "?n=5&seed=1", "?n=1&n=2"])
def test_a_wrong_number_is_refused(service: RunningService, query: str) -> None:
    job = service.wait_done(service.generate(3, seed=4)["id"])
    assert problem(service.client.post(f"{job['links']['extend']}{query}"))["status"] == 422


def test_only_new_images_count_against_the_limit(service: RunningService) -> None:
    with service.another_api(IMAGEMILL_MAX_IMAGES="40") as (client, _):
        job = service.wait_done(client.post("/generate?n=40&seed=5").json()["id"])
        refused = problem(client.post(f"/jobs/{job['id']}/extend?n=41"))
        assert (refused["status"], refused["code"]) == (422, "n_out_of_range")
        assert client.post(f"/jobs/{job['id']}/extend?n=40").status_code == 202


def test_images_that_expired_are_rendered_again(service: RunningService) -> None:
    first = service.wait_done(service.generate(40, seed=6)["id"])
    service.client.delete(f"/jobs/{first['id']}")
    second = extend(service, first, 20)
    assert (second["state"], second["extends"], second["n"]) == ("succeeded", None, 60)
    whole = service.wait_done(service.generate(60, seed=6)["id"])
    assert archive(service, second) == archive(service, whole)


def test_a_job_that_another_one_extends_keeps_its_images(service: RunningService) -> None:
    first = service.wait_done(service.generate(10, seed=7)["id"])
    second = extend(service, first, 10)
    third = extend(service, second, 10)
    before = archive(service, third)
    refused = problem(service.client.delete(f"/jobs/{first['id']}"), "extensions")
    assert (refused["status"], refused["code"]) == (409, "job_extended")
    assert sorted(refused["extensions"]) == sorted([second["id"], third["id"]])
    assert problem(service.client.delete(f"/jobs/{second['id']}"), "extensions")["extensions"] == [third["id"]]
    assert archive(service, first)
    assert archive(service, third) == before
    for job in (third, second, first):
        assert service.client.delete(f"/jobs/{job['id']}").status_code == 200
    rebuilt = service.wait_done(service.client.post(third["links"]["rebuild"]).json()["id"])
    assert archive(service, rebuilt) == before


def test_a_race_of_removal_and_extension_loses_no_image(service: RunningService) -> None:
    for attempt in range(20):
        first = service.wait_done(service.generate(5, seed=100 + attempt)["id"])
        with ThreadPoolExecutor(2) as threads:
            deleting = threads.submit(service.client.delete, f"/jobs/{first['id']}")
            second = extend(service, first, 5)
        assert deleting.result().status_code in (200, 409)
        assert second["state"] == "succeeded"
        assert len(archive(service, second)) > 0
        assert (second["extends"] is None) or deleting.result().status_code == 409


def test_owners_extend_their_own_jobs_within_their_limits(guarded: Guarded) -> None:
    client = guarded.use("extender", **{"max-images": 30})
    first = client.post("/generate?n=20&seed=1").json()
    deadline = time.monotonic() + 60
    while not client.get(f"/jobs/{first['id']}").json()["done"] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert problem(guarded.use("another").post(f"/jobs/{first['id']}/extend?n=5"))["code"] == "unknown_job"
    assert problem(client.post(f"/jobs/{first['id']}/extend?n=31"))["status"] == 422
    extended = client.post(f"/jobs/{first['id']}/extend?n=25")
    assert extended.status_code in (200, 202)


def test_the_client_extends_a_job(service: RunningService, tmp_path: Path) -> None:
    with Client(service.url) as client:
        job = client.wait(client.extend(client.wait(client.generate(n=5, seed=9)), 5))
        assert (job.n, job.images_done) == (10, 10)
        assert client.download(job, tmp_path / "ten.zip").stat().st_size > 0
        assert [image.index for image in client.images(job)] == list(range(10))
