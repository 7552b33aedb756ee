"""Sheets of thumbnails, orders, facts about images and picks, over HTTP."""

import hashlib
import io
import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from tests.integration.guarded import Guarded
from tests.integration.running_service import RunningService, wait_until
from tests.integration.test_curate import curate, order
from tests.integration.test_problems import problem
from tests.tiny import CLASSES, LABELLED

SIDE = 64
IMMUTABLE = "private, max-age=604800, immutable"


def sheet(service: RunningService, job: dict[str, Any], k: Any = 0, **query: Any) -> Image.Image:
    response = service.client.get(f"/jobs/{job['id']}/sheets/{k}.jpg", params=query).raise_for_status()
    assert response.headers["content-type"] == "image/jpeg"
    return Image.open(io.BytesIO(response.content))


def thumbnails(drawn: Image.Image, count: int) -> Iterator[Image.Image]:
    for row, column in itertools.islice(itertools.product(range(16), range(16)), count):
        yield drawn.crop((column * SIDE, row * SIDE, (column + 1) * SIDE, (row + 1) * SIDE))


def assert_close(thumbnail: Image.Image, image: Image.Image) -> None:
    difference = ImageChops.difference(thumbnail, image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS))
    assert max(ImageStat.Stat(difference).mean) < 12, ImageStat.Stat(difference).mean  # noise, in a JPEG


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"format": "webp", "layout": "webdataset"},
        {"format": "jpeg", "layout": "parquet", "model": LABELLED},
        {"model": LABELLED, "keep": 0.4},
        {"model": LABELLED, "keep": 0.4, "layout": "parquet", "start": 5},
        {"start": 1000, "model": LABELLED, "split": "validation"},
    ],
)
def test_sheets_show_the_images_in_their_order(service: RunningService, query: dict[str, Any]) -> None:
    job = service.wait_done(service.generate(300, seed=1, **query)["id"])
    assert job["images_committed"] == 300
    data = service.client.get(f"/jobs/{job['id']}/order").content
    offsets = [int.from_bytes(data[k : k + 4], "little") for k in range(0, len(data), 4)]
    first = job["start"] + (1 << 51) * (query.get("split") is not None)
    assert len(offsets) == 300
    shown = [*thumbnails(sheet(service, job), 256), *thumbnails(sheet(service, job, 1), 44)]
    for position in (0, 17, 255, 256, 299):
        url = job["links"]["image"].format(index=first + offsets[position])
        image = Image.open(io.BytesIO(service.client.get(url).raise_for_status().content))
        assert_close(shown[position], image)
    assert sheet(service, job).size == (1024, 1024)
    assert sheet(service, job, 1).size == (1024, 3 * SIDE)


def test_sheets_of_arrays_extensions_and_curated_jobs(service: RunningService) -> None:
    png = service.wait_done(service.generate(40, seed=2, model=LABELLED)["id"])
    npz = service.wait_done(service.generate(30, seed=2, model=LABELLED, format="npz")["id"])
    extended = service.client.post(npz["links"]["extend"], params={"n": 10}).json()
    extended = service.wait_done(extended["id"])
    first = list(thumbnails(sheet(service, png), 40))
    for thumbnail, expected in zip(thumbnails(sheet(service, extended), 40), first, strict=True):
        assert_close(thumbnail, expected)
    curated = curate(service, extended, [0, 1])
    places = order(service, curated)
    for thumbnail, index in zip(thumbnails(sheet(service, curated), 40), places, strict=True):
        if index < 40:
            assert_close(thumbnail, first[index])


def test_a_class_and_the_score_filter_and_sort(service: RunningService) -> None:
    job = service.wait_done(service.generate(60, seed=3, model=LABELLED, keep=0.6)["id"])
    facts = [service.client.get(f"/jobs/{job['id']}/images/{index}.json").json() for index in order(service, job)]
    for name in CLASSES:
        response = service.client.get(f"/jobs/{job['id']}/order", params={"class": name, "sort": "best"})
        assert response.headers["cache-control"] == IMMUTABLE
        expected = sorted((each for each in facts if each["class"] == name), key=lambda each: -each["score"])
        found = [int.from_bytes(response.content[k : k + 4], "little") for k in range(0, len(response.content), 4)]
        assert found == [each["index"] for each in expected]
        image = Image.open(io.BytesIO(service.client.get(expected[0]["image"]).content))
        assert_close(next(thumbnails(sheet(service, job, 0, sort="best", **{"class": name}), 1)), image)
    worst = service.client.get(f"/jobs/{job['id']}/order", params={"sort": "worst"}).content
    scores = {each["index"]: each["score"] for each in facts}
    sorted_scores = [scores[int.from_bytes(worst[k : k + 4], "little")] for k in range(0, len(worst), 4)]
    assert sorted_scores == sorted(scores.values())


def test_facts_name_the_image_and_its_address(service: RunningService) -> None:
    job = service.wait_done(service.generate(9, seed=4, model=LABELLED)["id"])
    facts = service.client.get(f"/jobs/{job['id']}/images/7.json").raise_for_status().json()
    data = service.client.get(facts["image"]).content
    assert facts["sha256"] == hashlib.sha256(data).hexdigest()
    assert (facts["index"], facts["seed"], facts["score"], facts["class"]) == (7, 4, None, CLASSES[1])
    assert service.client.get(facts["address"]).raise_for_status().content == data
    assert problem(service.client.get(f"/jobs/{job['id']}/images/9.json"))["code"] == "unknown_image"
    arrays = service.wait_done(service.generate(9, seed=4, model=LABELLED, format="npz")["id"])
    facts = service.client.get(f"/jobs/{arrays['id']}/images/7.json").raise_for_status().json()
    assert facts["image"] is None
    assert service.client.get(facts["address"]).raise_for_status().content == data


def test_a_sheet_of_a_running_job_grows(idle_service: RunningService) -> None:
    service = idle_service
    job = service.generate(40_000, seed=5)
    path = f"/jobs/{job['id']}/sheets/0.jpg"
    early = problem(service.client.get(path))
    assert (early["status"], early["code"]) == (409, "not_ready")
    assert problem(service.client.get(path, params={"have": 0}))["code"] == "not_ready"
    service.start_worker()
    wait_until(lambda: bool(service.job(job["id"])["images_committed"]))
    part = service.client.get(path, params={"have": 0}).raise_for_status()
    wait_until(lambda: service.job(job["id"])["images_committed"] >= 256)
    whole = service.client.get(path).raise_for_status()
    assert whole.headers["cache-control"] == IMMUTABLE
    assert part.headers["cache-control"] in ("no-store", IMMUTABLE)
    last = service.client.get(f"/jobs/{job['id']}/sheets/156.jpg", params={"have": 0})
    assert last.status_code in (200, 409)
    service.client.post(job["links"]["cancel"])
    assert problem(service.client.get(path))["code"] == "job_cancelled"


def test_sheets_that_do_not_exist(service: RunningService) -> None:
    job = service.wait_done(service.generate(10, seed=6)["id"])
    base = f"/jobs/{job['id']}/sheets"
    assert problem(service.client.get(f"{base}/1.jpg"))["code"] == "unknown_sheet"
    for k in ("-1", "x", "1.5"):
        assert service.client.get(f"{base}/{k}.jpg").status_code in (404, 422)
    for query in ({"class": "circle"}, {"sort": "best"}, {"sort": "size"}, {"have": 257}, {"colour": 1}):
        assert problem(service.client.get(f"{base}/0.jpg", params=query))["status"] == 422
    service.client.delete(job["links"]["self"])
    expired = problem(service.client.get(f"{base}/0.jpg"))
    assert (expired["status"], expired["code"]) == (410, "job_expired")
    assert "rebuild" in expired["detail"]


def test_picks_are_kept_and_shown(service: RunningService) -> None:
    job = service.wait_done(service.generate(20, seed=7)["id"])
    path = f"/jobs/{job['id']}/picks"
    assert service.client.get(path).json() == {"exclude": []}
    assert service.client.put(path, json={"exclude": [7, 3, 7]}).json() == {"exclude": [3, 7]}
    assert service.client.get(path).json() == {"exclude": [3, 7]}
    shown = service.client.get(f"/jobs/{job['id']}/order", params={"show": "excluded"})
    assert shown.headers["cache-control"] == "no-store"
    assert shown.content == bytes([3, 0, 0, 0, 7, 0, 0, 0])
    assert len(service.client.get(f"/jobs/{job['id']}/order", params={"show": "kept"}).content) == 18 * 4
    for body in ({"exclude": [20]}, {"exclude": "3"}, {}, {"exclude": [1], "more": 2}):
        assert problem(service.client.put(path, json=body))["status"] == 422


def test_galleries_belong_to_their_owners(guarded: Guarded) -> None:
    client, other = guarded.use("painter"), guarded.use("visitor")
    job = client.post("/generate?n=5&seed=1", headers={"Prefer": "wait=60"}).json()
    for path in ("sheets/0.jpg", "order", "picks", "images/1.json"):
        assert client.get(f"/jobs/{job['id']}/{path}").status_code == 200
        assert problem(other.get(f"/jobs/{job['id']}/{path}"))["code"] == "unknown_job"
    assert problem(other.put(f"/jobs/{job['id']}/picks", json={"exclude": [1]}))["code"] == "unknown_job"


def events(service: RunningService, **headers: str) -> Iterator[tuple[str, Any]]:
    with service.client.stream("GET", "/events", headers=headers) as response:
        response.raise_for_status()
        name = ""
        for line in response.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield name, json.loads(line.removeprefix("data: "))


def test_one_stream_reports_all_jobs(idle_service: RunningService) -> None:
    service = idle_service
    first = service.generate(2000, seed=8)
    stream = events(service)
    name, data = next(stream)
    assert name == "version"
    assert data == service.client.get("/version").json()
    opened = list(itertools.takewhile(lambda event: event[0] != "open", stream))
    assert [job["id"] for _, job in opened if job["id"] == first["id"]] == [first["id"]]
    second = service.generate(20, seed=9)
    service.start_worker()
    ended = dict[str, dict[str, Any]]()
    for name, job in stream:
        assert name == "job"
        if job["done"]:
            ended[job["id"]] = job
        if {first["id"], second["id"]} <= ended.keys():
            break
    assert ended[first["id"]]["images_committed"] == 2000


def test_a_stream_reports_the_jobs_of_its_owner_only(guarded: Guarded) -> None:
    mine, other = guarded.use("listener"), guarded.use("singer")
    stream = events(guarded.service, **guarded.authorization("listener"))
    assert next(stream)[0] == "version"
    other.post("/generate?n=5&seed=1", headers={"Prefer": "wait=60"})
    job = mine.post("/generate?n=5&seed=1", headers={"Prefer": "wait=60"}).json()
    for name, data in stream:
        if name == "job":
            assert data["id"] == job["id"]
            if data["done"]:
                break
