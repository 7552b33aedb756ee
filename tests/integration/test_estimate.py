"""POST /estimate: the figures of jobs before they run, and the errors that would refuse them."""

import io
import json
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from safetensors.torch import save_file

from app.client import Client
from app.cluster.redis_text import redis_text
from tests.command import imagemill
from tests.integration.guarded import Guarded
from tests.integration.running_service import MAX_IMAGES, RunningService, wait_until
from tests.integration.test_problems import problem
from tests.tiny import LABELLED, PLAIN, picture, save_checkpoint, vgg19_tensors

VOLATILE = ("imagemill:worker:", "imagemill:reconciler", "imagemill:seen")
"""Keys that live workers and the reconciler renew."""
MAX_MS = 100
"""The limit is 10 ms on an idle machine. Other tests slow this one down."""
JOBS: tuple[dict[str, Any], ...] = (
    {"n": 200},
    {"n": 120, "format": "jpeg"},
    {"n": 600, "format": "webp", "model": LABELLED},
    {"n": 300, "format": "npz"},
    {"n": 200, "model": LABELLED, "class": "cross"},
    {"classes": "circle:90,zig/zag:30", "model": LABELLED},
    {"n": 200, "model": LABELLED, "keep": 0.5},
    {"n": 100, "model": LABELLED, "keep": 0.8, "copies": "drop", "format": "jpeg"},
    {"n": 300, "layout": "webdataset", "model": LABELLED},
    {"n": 300, "layout": "parquet", "model": LABELLED, "keep": 0.5},
)


def estimate(service: RunningService, client: httpx.Client | None = None, **query: Any) -> dict[str, Any]:
    response = (client or service.client).post("/estimate", params=query)
    assert response.status_code == 200, response.text
    return dict(response.json())


@pytest.fixture
def measured(service: RunningService) -> RunningService:
    """The service whose worker has measured all its models."""
    wait_until(lambda: all(estimate(service, n=1, model=name)["bytes"] for name in (PLAIN, LABELLED)))
    return service


@pytest.mark.parametrize("query", JOBS, ids=json.dumps)
def test_a_job_has_the_expected_size_and_tries(measured: RunningService, query: dict[str, Any]) -> None:
    expected = estimate(measured, **query)
    job = measured.wait_done(measured.client.post("/generate", params={**query, "seed": 5}).json()["id"])
    assert job["state"] == "succeeded"
    size = len(measured.download(job["id"]))
    assert abs(expected["bytes"]["expected"] - size) < 0.1 * size
    assert expected["bytes"]["low"] < size < expected["bytes"]["high"]
    assert (expected["n"], expected["model"]) == (job["n"], job["model"])
    if expected["tries"] is not None:
        assert expected["tries"]["low"] <= job["tried"] <= 1.2 * expected["tries"]["high"]
    assert expected["fits"] == {"now": True, "size": None, "workers": None, "quota": None, "disk": None}
    assert expected["hours_kept"] == 168


def test_more_images_take_longer_and_the_parts_add_up(measured: RunningService) -> None:
    few, many = (estimate(measured, n=n)["seconds"] for n in (1, MAX_IMAGES))
    assert 0 < few["total"] < many["total"] < 100
    assert many["total"] == pytest.approx(sum(many[part] for part in many if part != "total"), abs=0.05)


def test_nothing_is_written(measured: RunningService) -> None:
    (worker,) = measured.workers
    worker.send_signal(signal.SIGSTOP)  # otherwise it writes, too
    try:
        wait_until(lambda: not any((measured.folder / "store" / "open").iterdir()))
        wait_until(lambda: len(measured.redis.hkeys("imagemill:room")) <= 1)  # the total; the API releases the others
        keys, files = dump(measured)
        for query in JOBS:
            estimate(measured, **query)
        keys_after, files_after = dump(measured)
        assert keys_after.items() <= keys.items()  # some keys expire meanwhile
        assert files_after == files
    finally:
        worker.send_signal(signal.SIGCONT)


def dump(service: RunningService) -> tuple[dict[str, Any], dict[str, int]]:
    """Return all keys of Redis, and all files of the store."""
    names = [redis_text(key) for key in service.redis.keys("*")]
    keys = {name: service.redis.dump(name) for name in names if not name.startswith(VOLATILE)}
    files = {str(path): path.stat().st_mtime_ns for path in (service.folder / "store").rglob("*")}
    return keys, files


def test_it_is_fast(measured: RunningService) -> None:
    times = []
    for _ in range(10):
        began = time.perf_counter()
        estimate(measured, n=MAX_IMAGES, model=LABELLED, keep=0.5)
        times.append(1000 * (time.perf_counter() - began))
    assert min(times) < MAX_MS


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"params": {"n": 0}}, 422, "n_out_of_range"),
        ({"params": {"n": 1, "modle": PLAIN}}, 422, "invalid_request"),
        ({"params": {"n": 1, "model": "mona-lisa"}}, 422, "unknown_model"),
        ({"params": {"n": 1, "keep": 0.5}}, 422, "no_gate"),
        ({"params": {"n": 1, "ttl_hours": 10**6}}, 422, "ttl_hours_out_of_range"),
        ({"params": {"n": 1, "style": "1" * 64}}, 422, "unknown_style"),
        ({"json": {"n": "1"}}, 422, "invalid_request"),
        ({"content": b'{"n": 1}'}, 415, "unsupported_media_type"),
    ],
)
def test_a_wrong_request_gets_the_error_of_generate(
    service: RunningService, options: dict[str, Any], status: int, code: str
) -> None:
    found = problem(service.client.post("/estimate", **options))
    assert (found["status"], found["code"]) == (status, code)
    same = problem(service.client.post("/generate", **options))
    assert found | {"instance": None} == same | {"instance": None}


def test_parameters_may_come_as_json(measured: RunningService) -> None:
    found = measured.client.post("/estimate", json={"classes": {"circle": 2, "cross": 1}, "model": LABELLED}).json()
    assert (found["n"], found["classes"]) == (3, {"circle": 2, "cross": 1})


def test_too_many_images_are_estimated_and_do_not_fit(measured: RunningService) -> None:
    n = 10**12
    found = estimate(measured, n=n)
    refused = problem(measured.client.post("/generate", params={"n": n}))
    assert refusal(refused) == found["fits"]["size"]
    assert (found["fits"]["now"], refused["code"]) == (False, "n_out_of_range")
    assert found["bytes"]["expected"] > n


def test_an_estimate_without_workers_says_so(idle_service: RunningService) -> None:
    found = estimate(idle_service, n=1)
    assert (found["seconds"], found["bytes"], found["fits"]["now"]) == (None, None, True)
    assert "no live worker has measured" in found["notes"][0]


def test_a_model_that_no_worker_has_does_not_fit(service: RunningService) -> None:
    key, entry = "imagemill:models", json.loads(service.redis.hget("imagemill:models", PLAIN) or "")
    service.redis.hset(key, "gone", json.dumps(entry | {"name": "gone", "sha256": "0" * 64}))
    try:
        found = estimate(service, n=1, model="gone")
        refused = problem(service.client.post("/generate", params={"n": 1, "model": "gone"}))
    finally:
        service.redis.hdel(key, "gone")
    assert refusal(refused) == found["fits"]["workers"]
    assert (refused["status"], found["fits"]["now"]) == (503, False)


def test_a_style_that_no_worker_can_transfer_does_not_fit(measured: RunningService) -> None:
    query: dict[str, Any] = {"n": 1, "style": upload(measured)}
    found = estimate(measured, **query)
    refused = problem(measured.client.post("/generate", params=query))
    assert refusal(refused) == found["fits"]["workers"]
    assert (refused["status"], refused["code"], found["seconds"]) == (503, "no_style_transfer", None)


def upload(service: RunningService) -> str:
    """Upload a picture. Returns the id of the style."""
    file = io.BytesIO()
    picture(1).save(file, "PNG")
    return str(service.client.post("/styles", files={"file": file.getvalue()}).json()["id"])


def test_a_key_sees_its_quota(at_rest: Guarded) -> None:
    client = at_rest.use("erin", **{"max-images": 10, "max-jobs": 3})
    job = client.post("/generate", params={"n": 8}).raise_for_status().json()
    found = estimate(at_rest.service, client, n=5)
    refused = problem(client.post("/generate", params={"n": 5}))
    assert refusal(refused) == found["fits"]["quota"]
    assert (refused["status"], refused["code"]) == (429, "too_many_images")
    assert found["quota"] == {"images": 5, "images_left": 2, "jobs_left": 2}
    assert estimate(at_rest.service, client, n=2)["fits"]["now"]
    client.post(job["links"]["cancel"]).raise_for_status()


def test_a_full_disk_does_not_fit(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "models", PLAIN)
    kept = shutil.disk_usage(tmp_path).free // 1_000_000 + 1_000_000  # more than is free
    service = RunningService(tmp_path, IMAGEMILL_MIN_FREE_MB=str(kept))
    try:
        service.start_worker()
        wait_until(lambda: bool(estimate(service, n=1)["bytes"]))
        found = estimate(service, n=1)
        refused = problem(service.client.post("/generate", params={"n": 1}))
    finally:
        service.close()
    assert (refused["status"], refused["code"]) == (507, found["fits"]["disk"]["code"])
    assert found["disk"]["reserved"] > 0


def refusal(found: dict[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in ("status", "code", "detail", "retryable")}


@pytest.fixture(scope="module")
def styling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    folder = tmp_path_factory.mktemp("styling")
    save_checkpoint(folder / "models", PLAIN)
    save_file(vgg19_tensors(), folder / "vgg.safetensors")
    service = RunningService(folder, IMAGEMILL_VGG19=str(folder / "vgg.safetensors"))
    service.start_worker()
    wait_until(lambda: bool(estimate(service, n=1)["bytes"]))
    yield service
    service.close()


@pytest.mark.parametrize("mode", ["standard", "distilled"])
def test_the_time_of_a_style_is_known_after_a_job_with_one(styling: RunningService, mode: str) -> None:
    query: dict[str, Any] = {"n": 8, "style": upload(styling), "style_mode": mode, "style_steps": 2}
    before = estimate(styling, **query)
    assert before["seconds"] is None
    assert any(note.startswith("seconds: no live worker") for note in before["notes"])
    job = styling.wait_done(styling.generate(**query)["id"])
    wait_until(lambda: estimate(styling, **query)["seconds"] is not None)
    found = estimate(styling, **query)
    assert found["seconds"]["learning"] == 0
    size = len(styling.download(job["id"]))
    assert abs(found["bytes"]["expected"] - size) < 0.1 * size
    if mode == "distilled":
        assert estimate(styling, **{**query, "style_steps": 40})["seconds"]["learning"] > 0


def test_the_command_line_prints_an_estimate_and_makes_nothing(measured: RunningService, tmp_path: Path) -> None:
    jobs = set((measured.folder / "store" / "jobs").iterdir())
    options = ("-n", "500", "--estimate", "--server", measured.url)
    printed = imagemill("generate", *options, cwd=tmp_path)
    assert printed.returncode == 0, printed.stderr
    assert printed.stdout.startswith("500 images from plain; nothing was created\ntime    about ")
    as_json = json.loads(imagemill("generate", *options, "--json", cwd=tmp_path).stdout)
    assert (as_json["n"], as_json["fits"]["now"]) == (500, True)
    assert not any(tmp_path.iterdir())
    assert set((measured.folder / "store" / "jobs").iterdir()) == jobs


def test_the_client_reads_an_estimate(measured: RunningService) -> None:
    with Client(measured.url) as client:
        found = client.estimate(n=50, model=LABELLED, keep=0.5, classes={"circle": 50})
    assert found.tries is not None
    assert found.bytes_ is not None
    assert found.seconds is not None
    assert (found.classes, found.tries.expected, found.fits.refusals) == ({"circle": 50}, 100, [])


def test_a_large_job_prints_its_estimate_first_and_a_small_one_does_not(
    measured: RunningService, tmp_path: Path
) -> None:
    for n, printed in ((10_000, True), (10, False)):
        done = imagemill("generate", "-n", str(n), "--server", measured.url, "-o", f"{n}.zip", cwd=tmp_path)
        assert (done.stderr.startswith("estimate: about "), done.returncode) == (printed, 0), done.stderr
