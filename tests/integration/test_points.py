"""Images of points between latents, by their permanent address and by previews, over HTTP."""

import io
import json
import signal
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from app.archive_name import archive_name
from app.client import Client
from app.client.responses import Job
from tests.integration.older_worker import OLDER_WORKER
from tests.integration.running_service import RunningService
from tests.integration.test_direct_requests import stored
from tests.integration.test_problems import problem as problem_of
from tests.tiny import CLASSES, LABELLED, PLAIN, save_checkpoint
from tests.tiny_sliders import NAMES, save_sliders
from worker.contracts.marks.extraction import find_packet
from worker.contracts.marks.xmp_packet import find_address, find_point_address

WALK = "1:0*0.94,777:20*0.35"


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("points")
    for name, classes in ((PLAIN, ()), (LABELLED, CLASSES)):
        save_checkpoint(folder / "models", name, classes)
        save_sliders(folder / "models" / f"{name}.safetensors")
    service = RunningService(folder)
    service.start_worker()
    yield service
    service.close()


def sliders(service: RunningService, model: str = PLAIN) -> str:
    found: str = service.client.get(f"/models/{model}").json()["sliders"]
    return found[:8]


def at(service: RunningService, model: str = PLAIN, suffix: str = "png", **query: str) -> httpx.Response:
    response = service.client.get(f"/images/{model}/at.{suffix}", params=query)
    assert response.status_code == 200, response.text
    return response


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    body = problem_of(response)
    assert (body["status"], body["code"]) == (status, code), body
    return body


def pixels(file: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB")).astype(int)


@pytest.mark.parametrize("suffix", ["png", "webp", "jpg"])
@pytest.mark.parametrize("model", [PLAIN, LABELLED])
@pytest.mark.parametrize("index", [0, 21])
def test_the_latent_of_one_index_has_the_bytes_of_its_address(
    points: RunningService, suffix: str, model: str, index: int
) -> None:
    plain = points.client.get(f"/images/{model}/7/{index}.{suffix}")
    point = at(points, model, suffix, at=f"7:{index}")
    assert point.content == plain.content
    assert point.headers["ETag"] == plain.headers["ETag"]
    if model == LABELLED:
        other = points.client.get(f"/images/{model}/7/{index}.{suffix}", params={"class": CLASSES[2]})
        assert at(points, model, suffix, at=f"7:{index}", classes=f"{CLASSES[2]}:0.3").content == other.content


def test_a_point_has_the_same_bytes_for_all_who_open_its_link(points: RunningService) -> None:
    query = {"at": WALK, "shift": f"{NAMES[0]}:1.2,direction 1:-0.5", "truncation": "0.8", "sliders": sliders(points)}
    before = stored(points)
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _: at(points, **query), range(8)))
    assert len({answer.content for answer in answers}) == 1
    points.end_workers(signal.SIGTERM)
    points.start_worker()
    assert at(points, **query).content == answers[0].content
    same = points.client.get(
        "/images/plain/at.png", params=query, headers={"If-None-Match": answers[0].headers["ETag"]}
    )
    assert (same.status_code, same.content) == (304, b"")
    assert stored(points) == before


def test_each_part_of_a_point_changes_the_image(points: RunningService) -> None:
    hashes = sliders(points, LABELLED)
    queries = [
        {"at": WALK},
        {"at": "1:0*0.93,777:20*0.35"},
        {"at": WALK, "truncation": "0.5"},
        {"at": WALK, "shift": "light%3A left:2", "sliders": hashes},
        {"at": WALK, "classes": f"{CLASSES[1]}:1"},
        {"at": WALK, "classes": f"{CLASSES[1]}:1,{CLASSES[2]}:1"},
    ]
    assert len({pixels(at(points, LABELLED, **query).content).tobytes() for query in queries}) == len(queries)


def test_the_mark_names_the_point(points: RunningService) -> None:
    query = {"at": WALK, "shift": "light%3A left:-2", "truncation": "0.8", "sliders": sliders(points, LABELLED)}
    for suffix in ("png", "webp", "jpg"):
        packet = find_packet(at(points, LABELLED, suffix, **query, classes=f"{CLASSES[1]}:1,{CLASSES[2]}:3").content)
        assert packet is not None
        assert find_address(packet) is None
        address = find_point_address(packet)
        assert address is not None
        assert [tuple(atom) for atom in address.at] == [(1, 0, 0.94), (777, 20, 0.35)]
        assert (address.shift, address.truncation) == ({"light: left": -2}, 0.8)
        assert address.classes == {"1": 1, "2": 3}


@pytest.mark.parametrize(
    ("query", "status", "code", "words"),
    [
        ({"at": "1"}, 422, "invalid_point", "1:0*0.94"),
        ({"at": "1:0*x"}, 422, "invalid_point", "number"),
        ({"at": "1:0*1e9"}, 422, "invalid_point", "100"),
        ({"at": "1:0", "truncation": "-1"}, 422, "invalid_point", "truncation"),
        ({"at": "1:0", "classes": "circle:0"}, 422, "invalid_point", "all 0"),
        ({"at": "1:0", "classes": "square:1"}, 422, "unknown_class", "circle"),
        ({"at": "1:0", "shift": "brightness:1"}, 422, "invalid_point", "sliders="),
        ({"at": "1:0", "shift": "smile:1", "sliders": "?"}, 422, "unknown_slider", "brightness"),
        ({"at": "1:0", "shift": "brightness:1", "sliders": "00000000"}, 409, "other_sliders", "00000000"),
        ({"at": ",".join(["1:0"] * 17)}, 422, "invalid_point", "16"),
        ({}, 422, "invalid_request", "at"),
        ({"at": "1:0", "seed": "1"}, 422, "invalid_request", "seed"),
    ],
)
def test_errors_name_what_is_wrong(
    points: RunningService, query: dict[str, str], status: int, code: str, words: str
) -> None:
    if query.get("sliders") == "?":
        query = {**query, "sliders": sliders(points, LABELLED)}
    found = problem(points.client.get(f"/images/{LABELLED}/at.png", params=query), status, code)
    assert words in found["detail"]


def test_an_unknown_model_is_not_found(points: RunningService) -> None:
    problem(points.client.get("/images/none/at.png", params={"at": "1:0"}), 404, "unknown_model")


def test_a_preview_of_one_point_is_its_exact_image(points: RunningService) -> None:
    point = {"at": [[1, 0, 0.94], [777, 20, 0.35]], "shift": {NAMES[0]: 1.2}, "truncation": 0.8}
    response = points.client.post("/preview", json={"model": PLAIN, "points": [point]})
    assert response.headers["Content-Type"] == "image/png"
    exact = at(points, at=WALK, shift=f"{NAMES[0]}:1.2", truncation="0.8", sliders=sliders(points))
    assert response.content == exact.content


def test_a_preview_of_points_is_a_sheet_in_rows(points: RunningService) -> None:
    before = stored(points)
    mixes = [{CLASSES[k % 3]: 1, CLASSES[k // 8]: 2} for k in range(23)]
    some = [{"at": [[1, k]], "classes": mix} for k, mix in enumerate(mixes)]
    response = points.client.post("/preview", json={"model": LABELLED, "points": some, "columns": 5})
    assert response.headers["Content-Type"] == "image/jpeg"
    sheet = pixels(response.content)
    assert sheet.shape == (5 * 32, 5 * 32, 3)
    for k in (0, 7, 22):
        classes = ",".join(f"{name}:{weight}" for name, weight in mixes[k].items())
        exact = pixels(at(points, LABELLED, at=f"1:{k}", classes=classes).content)
        row, column = divmod(k, 5)
        tile = sheet[row * 32 : row * 32 + 32, column * 32 : column * 32 + 32]
        assert abs(tile - exact).mean() < 12
    assert sheet[-32:, -32:].max() < 12  # the places that are left
    assert stored(points) == before


def test_previews_have_limits(points: RunningService) -> None:
    point = {"at": [[1, 0]]}
    problem(points.client.post("/preview", json={"points": [point] * 65}), 422, "invalid_request")
    problem(points.client.post("/preview", json={"points": []}), 422, "invalid_request")
    problem(points.client.post("/preview", json={"points": [point], "seed": 1}), 422, "invalid_request")
    problem(points.client.post("/preview", json={"points": [{"at": [[1, -1]]}]}), 422, "invalid_request")
    problem(points.client.post("/preview?x=1", json={"points": [point]}), 422, "invalid_request")
    with ThreadPoolExecutor(24) as clients:
        some = list(clients.map(lambda _: points.client.post("/preview", json={"points": [point] * 64}), range(24)))
    busy = [answer for answer in some if answer.status_code != 200]
    assert len(busy) < len(some)
    for answer in busy:
        assert problem(answer, 503, "preview_busy")["retryable"]
        assert answer.headers["Retry-After"] == "1"


def test_a_preview_without_a_worker_can_be_retried(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "models", PLAIN)
    service = RunningService(tmp_path)
    try:
        service.start_worker(OLDER_WORKER)
        for response in (
            service.client.get(f"/images/{PLAIN}/at.png", params={"at": WALK}),
            service.client.post("/preview", json={"points": [{"at": [[1, 0]]}, {"at": [[1, 1]]}]}),
        ):
            assert problem(response, 503, "no_worker")["retryable"]
        assert service.client.get(f"/images/{PLAIN}/at.png", params={"at": "1:0"}).status_code == 200
    finally:
        service.close()


AROUND = {"at": [[1, 0], [777, 20, -0.5]], "spread": 0.4, "truncation": 0.9}


def make(service: RunningService, **parameters: Any) -> dict[str, Any]:
    response = service.client.post("/generate", json=parameters)
    assert response.status_code == 202, response.text
    return service.wait_done(response.json()["id"])


def archive(service: RunningService, job: dict[str, Any]) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(service.client.get(job["links"]["download"]).content)) as file:
        return {name: file.read(name) for name in file.namelist()}


def records(files: dict[str, bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files["metadata.jsonl"].splitlines()]


@pytest.mark.parametrize("model", [PLAIN, LABELLED])
def test_each_image_around_a_point_has_a_point_as_its_address(points: RunningService, model: str) -> None:
    around = {**AROUND, "shift": {NAMES[1]: 1.5}, "sliders": sliders(points, model)}
    job = make(points, n=40, seed=9, start=5, model=model, around=around)
    assert job["around"]["spread"] == 0.4
    files = archive(points, job)
    for record in records(files)[::13]:
        stored_image = files[record["file_name"]]
        again = points.client.get(f"/images/{model}/at.png?{record['point']}")
        assert again.status_code == 200, again.text
        assert again.content == stored_image
        packet = find_packet(stored_image)
        address = packet and find_point_address(packet)
        assert address
        assert tuple(address.at[-1]) == (9, record["index"], 0.4)
    card = files["README.md"].decode()
    assert "| spread | 0.4 |" in card
    assert "`1:0,777:20*-0.5`" in card
    assert json.loads(files["report.json"])["request"]["around"]["truncation"] == 0.9


def test_a_longer_dataset_around_a_point_begins_with_the_shorter_one(points: RunningService) -> None:
    short = make(points, n=20, seed=9, model=LABELLED, around=AROUND)
    long = make(points, n=50, seed=9, model=LABELLED, around=AROUND)
    extended = points.wait_done(points.client.post(f"/jobs/{short['id']}/extend?n=30").json()["id"])
    begin, whole = (archive(points, job) for job in (short, long))
    images = {name: data for name, data in begin.items() if name.startswith("images/")}
    assert len(images) == 20
    assert images.items() <= whole.items()
    assert archive(points, extended)["metadata.jsonl"] == whole["metadata.jsonl"]


def test_a_rebuilt_dataset_around_a_point_has_the_same_bytes(points: RunningService) -> None:
    job = make(points, n=20, seed=4, model=LABELLED, around=AROUND)
    before = points.client.get(job["links"]["download"]).content
    points.client.delete(f"/jobs/{job['id']}").raise_for_status()
    again = points.wait_done(points.client.post(job["links"]["rebuild"]).json()["id"])
    assert points.client.get(again["links"]["download"]).content == before


def test_truncation_alone_moves_the_latents_of_the_seed(points: RunningService) -> None:
    files = archive(points, make(points, n=8, seed=2, model=LABELLED, truncation=0.5))
    (record,) = (each for each in records(files) if each["index"] == 3)
    assert record["point"] == f"at=2:3&classes={record['label']}:1&truncation=0.5"
    assert points.client.get(f"/images/{LABELLED}/at.png?{record['point']}").content == files[record["file_name"]]
    plain = make(points, n=8, seed=2, model=LABELLED, truncation=1)
    assert plain["around"] is None


def test_around_can_be_a_text_and_name_a_class(points: RunningService) -> None:
    text = f"at=1:0,777:20*-0.5&spread=0.4&truncation=0.9&classes={CLASSES[1]}:1"
    job = points.client.post("/generate", params={"n": 6, "seed": 3, "model": LABELLED, "around": text}).json()
    as_json = make(points, n=6, seed=3, model=LABELLED, around=AROUND, **{"class": CLASSES[1]})
    files = archive(points, points.wait_done(job["id"]))
    assert {record["label"] for record in records(files)} == {CLASSES[1]}
    assert files == archive(points, as_json)


def test_a_key_finds_the_job_around_the_same_point_only(points: RunningService) -> None:
    def send(spread: float) -> httpx.Response:
        body = {"n": 4, "seed": 1, "around": {**AROUND, "spread": spread}}
        return points.client.post("/generate", json=body, headers={"Idempotency-Key": "around"})

    assert send(0.4).json()["id"] == send(0.4).json()["id"]
    problem(send(0.5), 422, "idempotency_key_reused")


@pytest.mark.parametrize("layout", ["parquet", "webdataset"])
def test_other_layouts_hold_the_points_too(points: RunningService, layout: str) -> None:
    job = make(points, n=6, seed=3, model=LABELLED, around=AROUND, layout=layout)
    data = points.client.get(job["links"]["download"]).content
    assert b"spread | 0.4" in data or layout == "parquet"
    assert data.count(b"at=1:0*0.916515,777:20*-0.458258,3:") >= 6


@pytest.mark.parametrize(
    ("parameters", "code", "words"),
    [
        ({"around": {"at": []}}, "invalid_request", "at: "),
        ({"around": {"at": [[1, 0]], "spread": 0}}, "invalid_request", "spread"),
        ({"around": "1:0"}, "invalid_request", "at=1:0"),
        ({"around": "at=1:x"}, "invalid_request", "1:x"),
        ({"around": {"at": [[1, 0]], "classes": {"circle": 1, "cross": 1}}}, "mixed_classes", "one class"),
        ({"around": {"at": [[1, 0]], "classes": {"square": 1}}}, "unknown_class", "circle"),
        ({"around": {"at": [[1, 0]], "shift": {"smile": 1}}}, "unknown_slider", "brightness"),
        ({"around": AROUND, "distinct": 2}, "invalid_request", "cannot be combined"),
        ({"truncation": 0.5, "distinct": 2}, "invalid_request", "cannot be combined"),
        ({"truncation": 3}, "invalid_request", "truncation"),
        ({"around": AROUND, "truncation": 0.5}, "invalid_request", "twice"),
        ({"around": {"at": [[1, 0]], "classes": {"cross": 1}}, "class": "circle"}, "invalid_request", "class"),
    ],
)
def test_errors_of_around_name_what_is_wrong(
    points: RunningService, parameters: dict[str, Any], code: str, words: str
) -> None:
    body = {"n": 2, "model": LABELLED, **parameters}
    assert words in problem(points.client.post("/generate", json=body), 422, code)["detail"]


def test_an_estimate_takes_around(points: RunningService) -> None:
    response = points.client.post("/estimate", json={"n": 200, "model": LABELLED, "around": AROUND})
    assert response.status_code == 200, response.text
    assert response.json()["fits"]["now"]


def test_verify_finds_the_address_of_a_point(points: RunningService) -> None:
    query = {"at": WALK, "classes": f"{CLASSES[1]}:1", "truncation": "0.8"}
    image = at(points, LABELLED, **query)
    found = points.client.post("/verify", files={"file": ("a.png", image.content)}).json()
    assert found["verdict"] == "equal"
    assert points.client.get(found["address"]["url"]).content == image.content


def test_the_client_draws_points_and_datasets_around_them(points: RunningService) -> None:
    with Client(points.url) as client:
        image = client.point_image(LABELLED, WALK, truncation=0.8, format="webp")
        assert image == at(points, LABELLED, "webp", at=WALK, truncation="0.8").content
        job = client.generate(n=3, seed=1, model=LABELLED, around="at=1:0&spread=0.2", truncation=0.9)
        assert points.client.get(f"/jobs/{job.id}").json()["around"]["spread"] == 0.2


def test_datasets_of_different_points_have_different_archive_names(points: RunningService) -> None:
    plain = {"n": 2, "seed": 5, "model": PLAIN}
    requests: list[dict[str, object]] = [
        {"around": "at=1:0&spread=0.3"},
        {"around": "at=1:0&spread=0.4"},
        {"around": "at=2:0&spread=0.3"},
        {"around": "at=1:0&spread=0.3", "truncation": 0.8},
        {"truncation": 0.8},
    ]
    jobs = [make(points, **plain, **more) for more in [{}, *requests]]
    names = [points.client.get(job["links"]["download"]).headers["content-disposition"] for job in jobs]
    assert names[0] == f'attachment; filename="{PLAIN}-seed5-n2.zip"'
    assert len(set(names)) == len(names)
    assert names == [f'attachment; filename="{archive_name(Job.model_validate(job))}"' for job in jobs]
