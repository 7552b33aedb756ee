"""Datasets by class: exact counts, the same images as by address, and what a wrong request is told."""

import io
import zipfile
from collections import Counter
from typing import Any

import pytest

from tests.integration.running_service import RunningService, metadata
from tests.tiny import CLASSES, LABELLED, PLAIN

CIRCLE, CROSS, ZIGZAG = CLASSES
FOLDERS = {CIRCLE: "images/circle", CROSS: "images/cross", ZIGZAG: "images/zig%2Fzag"}


def made(service: RunningService, **query: Any) -> tuple[dict[str, Any], bytes]:
    """Run a job of the labelled model: the job at its end, and its archive."""
    response = service.client.post("/generate", params={"model": LABELLED, "seed": 31, **query})
    assert response.status_code == 202, response.text
    job = service.wait_done(response.json()["id"])
    assert job["state"] == "succeeded", job
    return job, service.download(job["id"])


def folders(archive: bytes) -> dict[str, int]:
    """Count the images in each folder."""
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        return Counter(name.rpartition("/")[0] for name in file.namelist() if name.startswith("images/"))


@pytest.mark.parametrize(
    ("classes", "counts"),
    [
        ("circle:100,cross:50", {CIRCLE: 100, CROSS: 50}),
        ("cross:1,circle:130", {CIRCLE: 130, CROSS: 1}),
        ("zig/zag:7", {ZIGZAG: 7}),
        ("zig%2Fzag:3,circle:5,cross:4", {CIRCLE: 5, CROSS: 4, ZIGZAG: 3}),
    ],
)
def test_each_class_has_exactly_its_count(service: RunningService, classes: str, counts: dict[str, int]) -> None:
    job, archive = made(service, classes=classes)
    assert job["classes"] == counts
    assert (job["n"], job["next_start"]) == (sum(counts.values()), sum(counts.values()))
    assert folders(archive) == {FOLDERS[name]: count for name, count in counts.items()}
    records = metadata(archive)
    assert Counter(record["label"] for record in records) == counts
    assert all(record["file_name"].startswith(f"{FOLDERS[record['label']]}/") for record in records)


def test_classes_without_counts_have_equal_shares(service: RunningService) -> None:
    job, archive = made(service, classes="zig/zag,circle", n=151)
    assert job["classes"] == {CIRCLE: 76, ZIGZAG: 75}
    assert [record["label"] for record in metadata(archive)] == [(CIRCLE, ZIGZAG)[index % 2] for index in range(151)]


def test_each_image_is_the_one_of_its_address(service: RunningService) -> None:
    job, archive = made(service, classes="circle:20,zig/zag:40")
    for record in metadata(archive)[::7]:
        address = f"/images/{LABELLED}/31/{record['index']}.png"
        by_address = service.client.get(address, params={"class": record["label"]})
        by_job = service.client.get(f"/jobs/{job['id']}/images/{record['index']}.png")
        assert by_address.headers["ETag"] == by_job.headers["ETag"] == f'"{record["sha256"]}"'


def test_a_small_dataset_is_the_beginning_of_a_large_one(service: RunningService) -> None:
    _, small = made(service, classes="circle:6,cross:4")
    _, large = made(service, classes="circle:300,cross:200")
    assert metadata(small) == metadata(large)[:10]


def test_a_dataset_continues_with_the_same_proportions(service: RunningService) -> None:
    _, whole = made(service, classes="circle:60,cross:30")
    first, beginning = made(service, classes="circle:20,cross:10")
    second, rest = made(service, classes="circle:40,cross:20", start=first["next_start"])
    assert metadata(beginning) + metadata(rest) == metadata(whole)
    assert (second["start"], second["next_start"]) == (30, 90)


def test_a_start_within_a_cycle_goes_on_with_it(service: RunningService) -> None:
    job, archive = made(service, classes="circle,cross", n=5, start=1)
    assert job["classes"] == {CIRCLE: 2, CROSS: 3}
    assert folders(archive) == {FOLDERS[CIRCLE]: 2, FOLDERS[CROSS]: 3}


def test_arrays_have_the_requested_labels(service: RunningService) -> None:
    _, archive = made(service, classes="cross:30,circle:10", format="npz")
    assert Counter(record["label_id"] for record in metadata(archive)) == {0: 10, 1: 30}


@pytest.mark.parametrize("classes", ["circle:2,cross:4", {"cross": 4, "circle": 2}])
def test_json_takes_counts_as_an_object_too(service: RunningService, classes: object) -> None:
    job = service.client.post("/generate", json={"model": LABELLED, "classes": classes}).json()
    assert (job["n"], job["classes"]) == (6, {CIRCLE: 2, CROSS: 4})
    assert service.wait_done(job["id"])["state"] == "succeeded"


def test_json_takes_names_as_an_array_too(service: RunningService) -> None:
    job = service.client.post("/generate", json={"model": LABELLED, "classes": [ZIGZAG, CROSS], "n": 5}).json()
    assert job["classes"] == {CROSS: 3, ZIGZAG: 2}


def test_an_archive_is_named_after_its_classes(service: RunningService) -> None:
    job, _ = made(service, classes="circle:3,zig/zag:1")
    head = service.client.head(f"/jobs/{job['id']}/download")
    assert head.headers["content-disposition"] == ('attachment; filename="labelled-seed31-n4-circle-3-zig%2Fzag-1.zip"')


WRONG = [
    ({"classes": "circle:1,oval:2"}, "unknown_class", "classes: must be among circle, cross, zig/zag, got 'oval'"),
    ({"classes": "oval", "n": 2}, "unknown_class", "got 'oval'"),
    ({"classes": "circle:1, cross:2"}, "unknown_class", "got ' cross'"),
    ({"classes": "circle:1,cross:2", "n": 4}, "counts_do_not_add_up", "add up to 3, but n is 4; leave n out"),
    ({"classes": "circle:1", "model": PLAIN}, "model_has_no_classes", "plain has no classes; leave classes out"),
    ({"classes": "circle:1", "class": "circle"}, "invalid_request", "class and classes cannot be combined"),
    ({"classes": "circle:1,circle:2"}, "invalid_request", "'circle' is named 2 times"),
    ({"classes": "circle,circle", "n": 2}, "invalid_request", "'circle' is named 2 times"),
    ({"classes": "circle:0"}, "invalid_request", "the count of 'circle' must be a whole number of at least 1, got '0'"),
    ({"classes": "circle:-1"}, "invalid_request", "at least 1, got '-1'"),
    ({"classes": "circle:1.5"}, "invalid_request", "at least 1, got '1.5'"),
    ({"classes": "circle:many"}, "invalid_request", "at least 1, got 'many'"),
    ({"classes": "circle:"}, "invalid_request", "at least 1, got ''"),
    ({"classes": f"circle:{'9' * 5000}"}, "invalid_request", "is too large, got '999"),
    ({"classes": "circle:1:2"}, "invalid_request", "'circle:1:2' has several colons; write a colon of a name as %3A"),
    ({"classes": "circle:1,cross"}, "invalid_request", "'cross' has no count, but other classes have one"),
    ({"classes": "circle:1,"}, "invalid_request", "'' names no class"),
    ({"classes": ":5"}, "invalid_request", "':5' names no class"),
    ({"classes": ""}, "invalid_request", "'' names no class"),
    ({"classes": "100%:5"}, "invalid_request", "'100%:5' has a % that begins no escape; write a % of a name as %25"),
    ({"classes": "%FF:5"}, "invalid_request", "escapes that are not UTF-8"),
    ({"classes": "circle,cross"}, "invalid_request", "n: required, but missing"),
    (
        {"classes": "circle:99999,cross:2"},
        "n_out_of_range",
        "between 1 and 50000, got '100001'",
    ),
]


@pytest.mark.parametrize(("query", "code", "sentence"), WRONG)
def test_a_wrong_request_is_told_what_is_wrong(
    service: RunningService, query: dict[str, Any], code: str, sentence: str
) -> None:
    refused = service.client.post("/generate", params={"model": LABELLED, **query})
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert sentence in refused.json()["detail"]
    assert not refused.json()["retryable"]


@pytest.mark.parametrize(
    ("classes", "sentence"),
    [
        ({}, "must be like modern:100"),
        ([], "must be like modern:100"),
        (5, "must be like modern:100"),
        ([1], "must be like modern:100"),
        ({"circle": "2"}, "the count of 'circle' must be a whole number of at least 1, got '\"2\"'"),
        ({"circle": 1.0}, "at least 1, got '1.0'"),
        ({"circle": True}, "at least 1, got 'true'"),
        ({"circle": 0}, "at least 1, got '0'"),
        ({"circle": None}, "at least 1, got 'null'"),
    ],
)
def test_wrong_json_is_told_what_is_wrong(service: RunningService, classes: object, sentence: str) -> None:
    refused = service.client.post("/generate", json={"model": LABELLED, "classes": classes})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert sentence in refused.json()["detail"]
