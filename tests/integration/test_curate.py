"""Datasets from which the user throws out images, over HTTP."""

import io
import json
import signal
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.client import Client
from tests.integration.guarded import Guarded
from tests.integration.running_service import RunningService
from tests.integration.test_extend import archive, data_files
from tests.integration.test_problems import problem
from tests.tiny import LABELLED


def curate(service: RunningService, job: dict[str, Any], exclude: list[int]) -> dict[str, Any]:
    response = service.client.post(job["links"]["curate"], json={"exclude": exclude})
    assert response.status_code in (200, 202), response.text
    return service.wait_done(response.json()["id"])


def order(service: RunningService, job: dict[str, Any]) -> list[int]:
    data = service.client.get(f"/jobs/{job['id']}/order").raise_for_status().content
    return [int.from_bytes(data[k : k + 4], "little") + job["start"] for k in range(0, len(data), 4)]


def label_of(service: RunningService, job: dict[str, Any], index: int) -> str | None:
    label: str | None = service.client.get(f"/jobs/{job['id']}/images/{index}.json").raise_for_status().json()["class"]
    return label


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"format": "npz"},
        {"format": "npz", "model": LABELLED, "keep": 0.5},
        {"layout": "parquet", "format": "webp"},
        {"layout": "parquet", "model": LABELLED, "keep": 0.5, "copies": "drop"},
        {"layout": "webdataset", "format": "jpeg", "model": LABELLED},
        {"start": 7, "model": LABELLED},
        {"model": LABELLED, "keep": 0.5, "distinct": 2},
        {"model": LABELLED, "classes": "circle:40,cross:20", "distinct": 0},
    ],
)
def test_the_next_images_of_the_same_classes_replace_those_that_are_thrown_out(
    service: RunningService, query: dict[str, Any]
) -> None:
    first = service.wait_done(service.generate(60, seed=1, **query)["id"])
    before = order(service, first)
    exclude = [before[0], before[3], before[17], before[59]]
    second = curate(service, first, exclude)
    after = order(service, second)
    assert second["state"] == "succeeded", second
    assert (second["n"], second["excluded"], second["curates"], second["extends"]) == (60, 4, first["id"], None)
    assert len(after) == 60
    kept, new = set(before) - set(exclude), set(after) - set(before)
    assert kept <= set(after)
    assert len(new) == 4
    thrown_out = Counter(label_of(service, first, index) for index in exclude)
    assert thrown_out == Counter(label_of(service, second, index) for index in new)
    assert data_files(service, second) < 0.6 * data_files(service, first)


def test_a_curated_job_has_the_same_archive_when_it_is_rendered_again(service: RunningService) -> None:
    first = service.wait_done(service.generate(60, seed=3, model=LABELLED, keep=0.5)["id"])
    second = curate(service, first, order(service, first)[5:9])
    kept = archive(service, second)
    assert service.client.delete(second["links"]["self"]).status_code == 200
    again = service.wait_done(service.client.post(second["links"]["rebuild"]).json()["id"])
    assert (again["state"], again["excluded"], again["curates"]) == ("succeeded", 4, first["id"])
    assert archive(service, again) == kept


def test_the_card_and_the_report_name_the_images_and_their_replacements(service: RunningService) -> None:
    first = service.wait_done(service.generate(40, seed=5, model=LABELLED)["id"])
    second = curate(service, first, [3, 8])
    third = curate(service, second, [min(set(order(service, second)) - set(order(service, first)))])
    with zipfile.ZipFile(io.BytesIO(archive(service, third))) as file:
        card, report = file.read("README.md").decode(), json.loads(file.read("report.json"))
        names = {int(Path(name).stem) for name in file.namelist() if name.startswith("images/")}
    assert names == set(order(service, third))
    curation = report["curation"]
    assert len(curation["excluded"]) == 3
    assert set(curation["replacements"]) == names - set(range(40))
    assert {3, 8} < set(curation["excluded"])
    assert "threw out 3 of them" in card
    assert "No image was left out" not in card
    assert report["yield"] is None
    assert third["excluded"] == 3


def test_a_curated_dataset_can_be_extended(service: RunningService) -> None:
    first = service.wait_done(service.generate(40, seed=6, model=LABELLED)["id"])
    second = curate(service, first, [0, 1, 2])
    response = service.client.post(second["links"]["extend"], params={"n": 20})
    third = service.wait_done(response.json()["id"])
    assert (third["n"], third["excluded"], third["extends"], third["curates"]) == (60, 3, second["id"], None)
    assert set(order(service, second)) < set(order(service, third))
    assert not {0, 1, 2} & set(order(service, third))


def test_the_same_request_finds_the_same_job(service: RunningService) -> None:
    first = service.wait_done(service.generate(20, seed=7)["id"])
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: curate(service, first, [4, 2]), range(8)))
    assert len({job["id"] for job in found}) == 1
    assert curate(service, first, [2, 4, 4])["id"] == found[0]["id"]
    assert curate(service, first, [2])["id"] != found[0]["id"]


def test_an_image_that_was_thrown_out_is_not_there(service: RunningService) -> None:
    first = service.wait_done(service.generate(20, seed=8)["id"])
    second = curate(service, first, [4])
    gone = problem(service.client.get(f"/jobs/{second['id']}/images/4.png"), "address")
    assert (gone["status"], gone["code"]) == (404, "not_kept")
    assert "thrown out" in gone["detail"]
    assert service.client.get(f"/jobs/{second['id']}/images/20.png").status_code == 200
    refused = problem(service.client.post(second["links"]["curate"], json={"exclude": [4]}))
    assert (refused["status"], refused["code"]) == (422, "unknown_image")


def test_a_job_that_holds_the_images_of_another_one_is_kept(service: RunningService) -> None:
    first = service.wait_done(service.generate(20, seed=9)["id"])
    second = curate(service, first, [4])
    refused = problem(service.client.delete(first["links"]["self"]), "extensions")
    assert (refused["code"], refused["extensions"]) == ("job_extended", [second["id"]])
    assert service.client.delete(second["links"]["self"]).status_code == 200
    assert service.client.delete(first["links"]["self"]).status_code == 200
    expired = problem(service.client.post(first["links"]["curate"], json={"exclude": [5]}))
    assert (expired["status"], expired["code"]) == (410, "job_expired")
    assert "rebuild" in expired["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"exclude": []},
        {"exclude": ["3"]},
        {"exclude": [3.5]},
        {"exclude": [True]},
        {"exclude": [-1]},
        {"exclude": [500]},
        {"exclude": list(range(20))},
        {"exclude": [3], "refill": False},
        {"exclude": [3], "more": 1},
    ],
)
def test_impossible_requests_are_refused(service: RunningService, body: dict[str, Any]) -> None:
    job = service.wait_done(service.generate(20, seed=10)["id"])
    assert problem(service.client.post(job["links"]["curate"], json=body))["status"] == 422


def test_a_job_that_runs_cannot_be_curated(idle_service: RunningService) -> None:
    job = idle_service.generate(20)
    refused = problem(idle_service.client.post(job["links"]["curate"], json={"exclude": [1]}))
    assert (refused["status"], refused["code"]) == (409, "job_running")
    idle_service.client.post(job["links"]["cancel"])
    refused = problem(idle_service.client.post(job["links"]["curate"], json={"exclude": [1]}))
    assert (refused["status"], refused["code"]) == (409, "job_ended")


def test_a_curation_survives_a_killed_worker(service: RunningService) -> None:
    first = service.wait_done(service.generate(600, seed=11)["id"])
    accepted = service.client.post(first["links"]["curate"], json={"exclude": list(range(0, 300, 2))}).json()
    service.end_workers(signal.SIGKILL)
    service.start_worker()
    job = service.wait_done(accepted["id"])
    assert (job["state"], len(order(service, job))) == ("succeeded", 600)


def test_owners_curate_their_own_jobs(guarded: Guarded) -> None:
    client = guarded.use("curator")
    first = client.post("/generate?n=10&seed=1", headers={"Prefer": "wait=60"}).json()
    body = {"exclude": [1]}
    assert problem(guarded.use("another").post(f"/jobs/{first['id']}/curate", json=body))["code"] == "unknown_job"
    assert client.post(f"/jobs/{first['id']}/curate", json=body).status_code in (200, 202)


def test_the_client_curates_a_job(service: RunningService, tmp_path: Path) -> None:
    with Client(service.url) as client:
        job = client.wait(client.curate(client.wait(client.generate(n=9, seed=9)), [1, 2, 2]))
        path = client.download(job, tmp_path / "curated.zip")
    assert job.excluded == 2
    with zipfile.ZipFile(path) as file:
        assert {Path(name).stem for name in file.namelist() if name.startswith("images/")} == {
            f"{index:06d}" for index in [0, *range(3, 11)]
        }
