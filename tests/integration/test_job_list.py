"""The list of jobs, over HTTP and with the client."""

import asyncio
from typing import Any

import httpx
import pytest

from app.client import AsyncClient, Client
from tests.integration.guarded import Guarded
from tests.integration.running_service import RunningService
from tests.integration.test_problems import problem
from tests.tiny import LABELLED, PLAIN


def ids(client: httpx.Client, **query: Any) -> list[str]:
    response = client.get("/jobs", params=query)
    assert response.status_code == 200, response.text
    return [job["id"] for job in response.json()["jobs"]]


def test_new_jobs_of_all_kinds_are_listed_first(service: RunningService) -> None:
    first = service.generate(3, seed=1)["id"]
    service.wait_done(first)
    second = service.generate(5000, seed=2)["id"]
    assert service.client.post(f"/jobs/{second}/cancel").status_code == 200
    third = service.client.post(f"/jobs/{second}/retry").json()["id"]
    service.client.post(f"/jobs/{third}/cancel")
    assert ids(service.client)[:3] == [third, second, first]
    assert ids(service.client, state="cancelled", limit=2) == [third, second]
    assert service.client.get("/jobs").json()["jobs"][2] == service.job(first)


def test_a_job_of_an_address_is_not_listed(service: RunningService) -> None:
    job = service.generate(1, seed=1)["id"]
    assert service.client.get(f"/images/{PLAIN}/1/77.png").status_code == 200
    assert ids(service.client)[0] == job


def test_a_name_finds_its_jobs_and_changes_no_byte(service: RunningService) -> None:
    jobs = [service.generate(4, seed=5, **more) for more in ({"name": "eyes.v1"}, {}, {"name": "eyes.v1"})]
    assert [job["name"] for job in jobs] == ["eyes.v1", None, "eyes.v1"]
    assert ids(service.client, name="eyes.v1")[:2] == [jobs[2]["id"], jobs[0]["id"]]
    assert ids(service.client, name="eyes") == []
    for job in jobs:
        service.wait_done(job["id"])
    archives = [service.client.get(job["links"]["download"]) for job in jobs]
    assert archives[0].content == archives[1].content
    named, unnamed, _ = (archive.headers["Content-Disposition"] for archive in archives)
    assert named.replace("eyes.v1-", "") == unnamed


def test_a_selection_is_listed_without_its_yield(service: RunningService) -> None:
    job = service.generate(6, model=LABELLED, keep=0.5, seed=1)
    done = service.wait_done(job["id"])
    assert done["yield"]["kept"] == 6
    (listed,) = service.client.get("/jobs", params={"limit": 1, "model": LABELLED}).json()["jobs"]
    assert listed == done | {"yield": None, "tried": None, "next_start": None}
    assert listed["images_done"] == 6


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=1.5", "limit"),
        ("limit=1_0", "limit"),
        ("after=x", "after"),
        ("after=../../jobs", "after"),
        ("state=ended", "state"),
        ("name=Eyes", "name"),
        ("name=../x", "name"),
        ("owner=alice", "owner"),
        ("limit=1&limit=2", "limit"),
    ],
)
def test_a_wrong_query_is_refused(service: RunningService, query: str, named: str) -> None:
    found = problem(service.client.get(f"/jobs?{query}"))
    assert found["status"] == 422
    assert found["detail"].startswith(f"{named}: ")


def test_owners_see_their_own_jobs_only(guarded: Guarded) -> None:
    one, other = guarded.use("lister"), guarded.use("another")
    own = [one.post("/generate?n=1&name=mine").json()["id"] for _ in range(3)]
    foreign = other.post("/generate?n=1&name=mine").json()["id"]
    assert ids(one) == ids(one, name="mine") == own[::-1]
    assert ids(other) == ids(other, name="mine") == [foreign]
    page = one.get("/jobs?limit=1").json()
    assert ids(other, after=page["next"]) in ([], [foreign])


def test_the_clients_walk_through_all_pages(service: RunningService) -> None:
    wanted = [service.generate(1, name="walk")["id"] for _ in range(60)][::-1]
    with Client(service.url) as client:
        assert [job.id for job in client.jobs(name="walk")] == wanted
        assert next(client.jobs()).links.self_.startswith(service.url)

    async def walk() -> list[str]:
        async with AsyncClient(service.url) as client:
            return [job.id async for job in client.jobs(name="walk", model=PLAIN)]

    assert asyncio.run(walk()) == wanted


def test_jobs_stay_listed_after_the_service_is_killed(service: RunningService) -> None:
    job = service.generate(1, name="kept")["id"]
    service.restart_api()
    assert ids(service.client, name="kept") == [job]
