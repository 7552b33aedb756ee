"""What HTTP says about a job with a selection: its figures, its holes, its archive, and wrong requests."""

import io
import zipfile
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.calibrated_gate import COPIED
from tests.integration.running_service import RunningService, metadata, wait_until
from tests.tiny import CLASSES, LABELLED, PLAIN

SEED, COPIES = COPIED
ZIP = {"Accept": "application/zip"}


def made(service: RunningService, n: int, **query: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run a job of the labelled model: the job at its end, and its metadata."""
    job = service.wait_done(service.generate(n, **{"model": LABELLED, "seed": SEED, **query})["id"])
    assert job["state"] == "succeeded", job
    return job, metadata(service.download(job["id"]))


def refused(service: RunningService, job: dict[str, Any], index: int) -> dict[str, Any]:
    """Ask for an image that a job does not keep. Its address must show it all the same."""
    response = service.client.get(job["links"]["image"].format(index=index))
    problem = dict(response.json())
    assert (response.status_code, problem["code"], problem["retryable"]) == (404, "not_kept", False)
    assert f"does not keep image {index}: " in problem["detail"]
    assert problem["detail"].endswith(f"GET {problem['address']} returns it")
    shown = service.client.get(problem["address"])
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
    return problem


def holes(job: dict[str, Any], records: list[dict[str, Any]]) -> list[int]:
    """List the indices before the last image that the job does not keep."""
    kept = {record["index"] for record in records}
    return [index for index in range(job["start"], job["next_start"]) if index not in kept]


@pytest.fixture(scope="module")
def gated(running_service: RunningService) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    if not running_service.workers:
        running_service.start_worker()
    return made(running_service, 151, keep=0.4, classes="circle,cross")


def test_a_job_tells_what_it_has_tried_and_kept(gated: tuple[dict[str, Any], list[dict[str, Any]]]) -> None:
    job, records = gated
    assert (job["keep"], job["copies"], job["distinct"]) == (0.4, "keep", None)
    assert job["classes"] == {"circle": 76, "cross": 75} == Counter(record["label"] for record in records)
    assert job["images_done"] == len(records) == 151
    found = job["yield"]
    assert found["kept"] == 151
    assert found["tried"] == job["tried"]
    share = 151 / found["tried"]
    assert found["low"] < share < found["high"]
    error = (share * (1 - share) / found["tried"]) ** 0.5
    assert found["high"] - found["low"] == pytest.approx(2 * 1.96 * error, rel=0.02)
    assert {name: row["kept"] for name, row in found["by_class"].items()} == job["classes"]
    assert sum(row["tried"] for row in found["by_class"].values()) == job["tried"]
    assert job["next_start"] == records[-1]["index"] + 1


def test_an_image_with_a_low_score_is_not_kept(
    service: RunningService, gated: tuple[dict[str, Any], list[dict[str, Any]]]
) -> None:
    job, records = gated
    problem = refused(service, job, holes(job, records)[0])
    assert problem["score"] < 600
    assert f"its score is {problem['score']} of 1000, and keep=0.4 needs at least 600" in problem["detail"]
    assert urlsplit(problem["address"]).query == "class=" + CLASSES[holes(job, records)[0] % 2]


def test_the_address_of_an_image_that_is_not_kept_has_the_prefix_of_the_proxy(
    service: RunningService, gated: tuple[dict[str, Any], list[dict[str, Any]]]
) -> None:
    job, records = gated
    path = job["links"]["image"].format(index=holes(job, records)[0])
    problem = service.client.get(path, headers={"X-Forwarded-Prefix": "/mill"}).json()
    assert problem["address"].startswith("/mill/images/")


def test_an_image_of_a_complete_class_is_not_kept(
    service: RunningService, gated: tuple[dict[str, Any], list[dict[str, Any]]]
) -> None:
    job, records = gated
    found = [refused(service, job, index) for index in holes(job, records)[-8:]]
    surplus = [problem for problem in found if problem["score"] >= 600]
    assert surplus
    assert all("the job has all 7" in problem["detail"] for problem in surplus)


def test_an_image_after_the_last_one_is_not_kept(
    service: RunningService, gated: tuple[dict[str, Any], list[dict[str, Any]]]
) -> None:
    job, _ = gated
    for index in (job["next_start"], job["next_start"] + 500):
        assert "the job has all its images before this one" in refused(service, job, index)["detail"]


def test_an_index_that_no_job_of_this_size_reaches_is_unknown(
    service: RunningService, gated: tuple[dict[str, Any], list[dict[str, Any]]]
) -> None:
    job, _ = gated
    response = service.client.get(job["links"]["image"].format(index=10**6))
    assert (response.status_code, response.json()["code"]) == (404, "unknown_image")


def test_a_kept_image_is_that_of_the_archive(
    service: RunningService, gated: tuple[dict[str, Any], list[dict[str, Any]]]
) -> None:
    job, records = gated
    for record in records[::17]:
        response = service.client.get(job["links"]["image"].format(index=record["index"]))
        assert response.headers["ETag"] == f'"{record["sha256"]}"'


def test_copies_of_training_images_are_not_kept(service: RunningService) -> None:
    job, records = made(service, 30, copies="drop")
    assert (job["copies"], job["keep"]) == ("drop", None)
    assert set(COPIES) <= set(holes(job, records))
    assert "it is a copy of a training image" in refused(service, job, COPIES[0])["detail"]
    everything, _ = made(service, 30)
    assert (everything["copies"], everything["yield"], everything["tried"]) == ("keep", None, None)


def test_images_near_kept_ones_are_not_kept(service: RunningService) -> None:
    label = service.client.get("/models/emoji-64").json()["classes"][0]
    job, records = made(service, 400, distinct=3, model="emoji-64", **{"class": label})
    found = holes(job, records)
    assert found
    assert job["tried"] == 400 + len(found)
    assert (job["keep"], job["distinct"], job["class"]) == (None, 3, label)
    assert "of an earlier image of the job in at most 3 bits" in refused(service, job, found[0])["detail"]
    hashes = [int(record["dhash"], 16) for record in records]
    assert all((a ^ b).bit_count() > 3 for place, a in enumerate(hashes) for b in hashes[:place])


def test_a_small_dataset_is_contained_in_a_large_one(service: RunningService) -> None:
    _, small = made(service, 10, keep=0.5)
    _, large = made(service, 500, keep=0.5)
    assert all(record in large for record in small)


def test_next_start_continues_without_overlap(service: RunningService) -> None:
    first, beginning = made(service, 60, keep=0.5, classes="circle:40,cross:20")
    second, rest = made(service, 60, keep=0.5, classes="circle:40,cross:20", start=first["next_start"])
    assert second["start"] == first["next_start"]
    assert beginning[-1]["index"] < rest[0]["index"]
    assert not {record["sha256"] for record in beginning} & {record["sha256"] for record in rest}
    assert first["classes"] == second["classes"] == Counter(record["label"] for record in rest)


def test_an_archive_grows_while_the_job_runs(idle_service: RunningService) -> None:
    job = idle_service.generate(800, model=LABELLED, seed=SEED, keep=0.3, distinct=1)
    with idle_service.client.stream("GET", job["links"]["download"]) as response:
        assert "content-length" not in response.headers
        assert (job["tried"], job["yield"]["kept"], job["next_start"]) == (0, 0, None)
        idle_service.start_worker()
        grown = response.read()
    assert idle_service.wait_done(job["id"])["state"] == "succeeded"
    whole = idle_service.client.get(job["links"]["download"])
    assert whole.content == grown
    assert int(whole.headers["content-length"]) == len(grown)
    with zipfile.ZipFile(io.BytesIO(grown)) as file:
        assert file.testzip() is None
        assert len([name for name in file.namelist() if name.startswith("images/")]) == 800
    part = idle_service.client.get(job["links"]["download"], headers={"Range": "bytes=70000-170000"})
    assert (part.status_code, part.content) == (206, grown[70000:170001])


def test_an_image_that_is_not_decided_yet_is_not_ready(idle_service: RunningService) -> None:
    job = idle_service.generate(8, model=LABELLED, seed=SEED, keep=0.5)
    response = idle_service.client.get(job["links"]["image"].format(index=3))
    assert (response.status_code, response.json()["code"], response.json()["retryable"]) == (409, "not_ready", True)
    idle_service.start_worker()
    assert idle_service.wait_done(job["id"])["state"] == "succeeded"


def test_a_request_may_wait_for_the_archive(service: RunningService) -> None:
    query: dict[str, Any] = {"n": 200, "model": LABELLED, "seed": SEED, "keep": 0.5}
    response = service.client.post("/generate", params=query, headers=ZIP)
    assert response.headers["content-disposition"].endswith('"labelled-seed31-n200-keep0.5.zip"')
    records = metadata(response.content)
    assert len(records) == 200
    wait_until(service.queue_is_empty)


def test_keep_1_needs_no_gate(service: RunningService) -> None:
    job, _ = made(service, 5, keep=1, copies="keep", model=PLAIN)
    assert (job["keep"], job["yield"], job["next_start"]) == (None, None, 5)


def test_models_tell_their_gates(service: RunningService) -> None:
    models = {model["name"]: model for model in service.client.get("/models").json()["models"]}
    labelled, plain = models[LABELLED], models[PLAIN]
    assert len(labelled["gate"]) == 64
    assert labelled["training_images"] == dict.fromkeys(CLASSES, 3)
    assert labelled["class_yields"] == dict.fromkeys(CLASSES, 0.7)
    assert labelled["effects"][0]["yield"] == 0.8
    assert labelled["judge"] == "efflite0"
    assert (plain["gate"], plain["training_images"], plain["effects"], plain["judge"]) == (None, None, [], None)


STEPS = "keep: must be a number from 0.01 to 1 in steps of 0.001, got "
BITS = "distinct: must be a whole number between 0 and 3, got "


@pytest.mark.parametrize(
    ("query", "code", "sentence"),
    [
        ({"keep": 0.5, "model": PLAIN}, "no_gate", "plain has no quality gate; leave keep out"),
        ({"copies": "drop", "model": PLAIN}, "no_gate", "plain has no quality gate"),
        *(({"keep": keep}, "invalid_request", f"{STEPS}'{keep}'") for keep in ("0", "-1", "1.1", "0.009", "0.5005")),
        *(({"keep": keep}, "invalid_request", f"{STEPS}'{keep}'") for keep in ("nan", "inf", "half", "50%", "")),
        *(({"distinct": bits}, "invalid_request", f"{BITS}'{bits}'") for bits in ("-1", "4", "1.0", "two", "")),
        *(
            ({"copies": it}, "invalid_request", f"copies: input should be 'keep' or 'drop', got '{it}'")
            for it in ("no",)
        ),
        (
            {"layout": "parquet", "format": "npz"},
            "invalid_request",
            "layout=parquet cannot be combined with format=npz",
        ),
        ({"layout": "zip"}, "invalid_request", "layout: input should be 'imagefolder', 'parquet' or 'webdataset'"),
        ({"keep": [0.5, 0.6]}, "repeated_parameter", "keep: sent more than once"),
        ({"keep": 0.01, "n": 501}, "n_out_of_range", "n: at most 500 with keep=0.01, got '501'; about 50100 images"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(
    service: RunningService, query: dict[str, Any], code: str, sentence: str
) -> None:
    response = service.client.post("/generate", params={"n": 5, "model": LABELLED, **query})
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert sentence in response.json()["detail"]


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"keep": "0.5"}, "keep: must be a number, in JSON without quotes"),
        ({"keep": True}, "keep: must be a number, in JSON without quotes"),
        ({"keep": [0.5]}, STEPS),
        ({"distinct": "1"}, "distinct: must be a number, in JSON without quotes"),
        ({"copies": True}, "copies: input should be 'keep' or 'drop', got 'true'"),
    ],
)
def test_wrong_json_is_told_what_is_wrong(service: RunningService, parameters: dict[str, Any], sentence: str) -> None:
    response = service.client.post("/generate", json={"n": 5, "model": LABELLED, **parameters})
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert sentence in response.json()["detail"]
