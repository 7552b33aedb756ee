"""Walks as datasets: the frames of an animation, over HTTP."""

import json
import re
from typing import Any
from urllib.parse import quote

import pytest

from app.archive_name import archive_name
from app.client import Client
from app.client.responses import Job
from tests.integration.running_service import RunningService
from tests.integration.test_points import archive, make, points, problem, records, sliders
from tests.tiny import CLASSES, LABELLED, PLAIN
from tests.tiny_sliders import NAMES
from worker.contracts.marks.extraction import find_packet
from worker.contracts.marks.xmp_packet import find_point_address

__all__ = ["points"]  # the fixture

ENDS = {"points": [{"at": [[1, 0]]}, {"at": [[777, 1, 0.8], [4, 2, 0.6]]}]}


@pytest.mark.parametrize("model", [PLAIN, LABELLED])
def test_each_frame_has_a_point_as_its_address(points: RunningService, model: str) -> None:
    shifted = {"at": [[9, 2]], "shift": {NAMES[1]: 1.5}, "truncation": 0.8}
    job = make(points, n=41, model=model, between={"points": [*ENDS["points"], shifted]})
    assert (job["between"]["frames"], job["seed"], job["class"]) == (41, 0, None)
    files = archive(points, job)
    found = records(files)
    assert [record["file_name"] for record in found] == [f"images/{index:06d}.png" for index in range(41)]
    for index in (0, 7, 20, 33, 40):
        frame = files[found[index]["file_name"]]
        facts = points.client.get(f"/jobs/{job['id']}/images/{index}.json").json()
        assert facts["address"].partition("?")[2] == found[index]["point"]
        again = points.client.get(facts["address"])
        assert again.content == frame
        packet = find_packet(frame)
        address = packet and find_point_address(packet)
        assert address
        assert tuple(address.at[-1]) == (0, index, 0)
    assert found[0]["point"].startswith("at=1:0,0:0*0")
    assert found[20]["point"].startswith("at=777:1*0.8,4:2*0.6,0:20*0")
    assert "left:1.5&" in found[40]["point"]
    assert found[40]["point"].endswith(f"&truncation=0.8&sliders={sliders(points, model)}")
    mixes = [record["point"].partition("classes=")[2].partition("&")[0] for record in found]
    names = [quote(CLASSES[index % len(CLASSES)], safe="") for index in range(3)]
    expected = ["", "", ""] if model == PLAIN else [f"{name}:1" for name in names]
    assert [mixes[index] for index in (0, 20, 40)] == expected
    card = files["README.md"].decode()
    assert "frames of an animation" in card
    assert "/extend" not in card
    assert "| point 2 | `at=777:1*0.8,4:2*0.6" in card
    assert json.loads(files["report.json"])["request"]["between"]["frames"] == 41


def test_a_walk_by_text_is_the_walk_by_json_and_its_name_tells_it(points: RunningService) -> None:
    text = "at=1:0;at=777:1*0.8,4:2*0.6;loop"
    response = points.client.post("/generate", params={"n": 6, "model": LABELLED, "between": text})
    assert response.status_code == 202, response.text
    job = points.wait_done(response.json()["id"])
    again = make(points, n=6, model=LABELLED, between={**ENDS, "loop": True})
    files = archive(points, job)
    assert files == archive(points, again)
    assert len({record["sha256"] for record in records(files)}) == 6
    name = points.client.get(job["links"]["download"]).headers["content-disposition"]
    assert name == f'attachment; filename="{archive_name(Job.model_validate(job))}"'
    assert re.fullmatch(rf'attachment; filename="{LABELLED}-walk-1-0-to-777-1-n6-points-[0-9a-f]{{8}}\.zip"', name)


@pytest.mark.parametrize("layout", ["parquet", "webdataset"])
def test_other_layouts_hold_the_frames(points: RunningService, layout: str) -> None:
    job = make(points, n=5, model=LABELLED, between="1:0,777:1", layout=layout)
    data = points.client.get(job["links"]["download"]).content
    assert all(f",0:{index}*0&classes=".encode() in data for index in (1, 2, 3))
    assert points.client.get(job["links"]["croissant"]).status_code == 200


def test_arrays_hold_the_frames(points: RunningService) -> None:
    files = archive(points, make(points, n=5, model=LABELLED, between="1:0,777:1", format="npz"))
    assert records(files)[4]["point"].startswith("at=777:1,0:4*0")


def test_a_rebuilt_walk_has_the_same_bytes_and_is_not_extended(points: RunningService) -> None:
    job = make(points, n=20, model=LABELLED, between=ENDS)
    before = points.client.get(job["links"]["download"]).content
    refused = points.client.post(f"/jobs/{job['id']}/extend?n=5")
    assert "request the walk again" in problem(refused, 409, "job_is_walk")["detail"]
    problem(points.client.post(f"/jobs/{job['id']}/curate", json={"exclude": [1]}), 409, "job_is_walk")
    points.client.delete(f"/jobs/{job['id']}").raise_for_status()
    again = points.wait_done(points.client.post(job["links"]["rebuild"]).json()["id"])
    assert points.client.get(again["links"]["download"]).content == before


MANY = {"at": [[1, index] for index in range(8)]}


@pytest.mark.parametrize(
    ("parameters", "code", "words"),
    [
        ({"between": "1:0"}, "invalid_request", "2"),
        ({"between": "1:0,x"}, "invalid_request", "seed:index"),
        ({"between": "at=1:0;spread=1"}, "invalid_request", "at=777:0"),
        ({"between": {"points": [{"at": [[1, 0, 100], [2, 0, 100]]}, {"at": [[1, 0]]}]}}, "invalid_request", "100"),
        ({"between": {"points": [MANY, {"at": [[2, index] for index in range(8)]}]}}, "invalid_point", "15 latents"),
        (
            {"between": {"points": [{"at": [[1, 0]]}, {"at": [[1, 0]], "shift": {"smile": 1}}]}},
            "unknown_slider",
            "bright",
        ),
        (
            {"between": {"points": [{"at": [[1, 0]]}, {"at": [[1, 0]], "classes": {"square": 1}}]}},
            "unknown_class",
            "circle",
        ),
        ({"between": ENDS, "seed": 3}, "invalid_request", "between and seed"),
        ({"between": ENDS, "start": 3}, "invalid_request", "between and start"),
        ({"between": ENDS, "split": "test"}, "invalid_request", "between and split"),
        ({"between": ENDS, "class": CLASSES[0]}, "invalid_request", "between and class"),
        ({"between": ENDS, "distinct": 2}, "invalid_request", "between and distinct"),
        ({"between": ENDS, "around": {"at": [[1, 0]]}}, "invalid_request", "between and around"),
    ],
)
def test_errors_of_a_walk_name_what_is_wrong(
    points: RunningService, parameters: dict[str, Any], code: str, words: str
) -> None:
    response = points.client.post("/generate", json={"n": 2, "model": LABELLED, **parameters})
    assert words in problem(response, 422, code)["detail"]


def test_the_client_estimates_and_makes_a_walk(points: RunningService) -> None:
    with Client(points.url) as client:
        assert client.estimate(n=200, model=LABELLED, between="1:0,777:0").fits.now
        job = client.wait(client.generate(n=3, model=LABELLED, between="1:0,777:0"))
        assert job.walk == "1-0-to-777-0"


def test_verify_finds_the_address_of_a_frame(points: RunningService) -> None:
    files = archive(points, make(points, n=3, model=LABELLED, between=ENDS))
    found = points.client.post("/verify", files={"file": ("a.png", files["images/000001.png"])}).json()
    assert found["verdict"] == "equal"
    assert points.client.get(found["address"]["url"]).content == files["images/000001.png"]


def test_latents_around_a_point_have_room_for_those_of_the_images(points: RunningService) -> None:
    body = {"n": 2, "model": LABELLED, "around": {"at": [[1, index] for index in range(16)]}}
    assert "15" in problem(points.client.post("/generate", json=body), 422, "invalid_point")["detail"]
