"""Styles over HTTP: bring a picture, and have images take its style."""

import hashlib
import io
import signal
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from safetensors.torch import save_file

from app.client import Client
from app.cluster.cluster_state import ClusterState
from tests.command import imagemill
from tests.integration.running_service import RunningService, metadata, wait_until
from tests.integration.test_problems import problem
from tests.tiny import PLAIN, vgg19_tensors
from worker.contracts.styles import METHOD

STYLE = {"style_steps": 2}


def picture(kind: str = "PNG", side: int = 40, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.effect_mandelbrot((side, 30), (-2, -1, 1, 1), 9).convert("RGB").save(file, kind, **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "vgg.safetensors"
    save_file(vgg19_tensors(), path)
    return path


@pytest.fixture
def styling(idle_service: RunningService, weights: Path) -> RunningService:
    """The service with a worker that can style."""
    idle_service.start_worker(IMAGEMILL_VGG19=str(weights))
    return idle_service


def bring(service: RunningService, data: bytes) -> Any:
    return service.client.post("/styles", files={"file": ("a painting", data)})


def test_a_picture_is_a_style_by_its_pixels(service: RunningService) -> None:
    first = bring(service, picture())
    again = bring(service, picture("WEBP", lossless=True))
    assert (first.status_code, again.status_code) in [(201, 200), (200, 200)]
    assert first.json() == again.json()
    style = first.json()
    assert (style["width"], style["height"]) == (40, 30)
    assert style in service.client.get("/styles").json()["styles"]
    shown = service.client.get(first.headers["Location"])
    assert shown.headers["Content-Type"] == "image/png"
    assert Image.open(io.BytesIO(shown.content)).size == (40, 30)


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 415, "unknown_picture"),
        (b"GIF89a" + bytes(60), 415, "unknown_picture"),
        (picture()[:80], 422, "unusable_picture"),
        (picture(side=15), 422, "unusable_picture"),
        (bytes(20_000_001), 413, "body_too_large"),
    ],
)
def test_a_file_that_is_no_picture_is_refused(service: RunningService, data: bytes, status: int, code: str) -> None:
    refused = bring(service, data)
    assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text
    assert refused.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("style", ["0" * 64, "x", "../../etc/passwd"])
def test_a_style_that_is_not_there_is_refused(service: RunningService, style: str) -> None:
    assert service.client.get(f"/styles/{style}").status_code == 404
    refused = service.client.post("/generate", params={"n": 1, "style": style})
    assert refused.status_code == 422
    assert "style" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"style_steps": 3}, "require `style`"),
        ({"style": "0" * 64, "style_strength": 1.5}, "style_strength"),
        ({"style": "0" * 64, "style_steps": 0}, "style_steps"),
        ({"style": "0" * 64, "style_mode": "magic"}, "style_mode"),
    ],
)
def test_odd_settings_are_refused(service: RunningService, query: dict[str, Any], words: str) -> None:
    refused = service.client.post("/generate", params={"n": 1, **query})
    assert refused.status_code == 422
    assert words in refused.json()["detail"]


def test_without_weights_only_styles_are_refused(idle_service: RunningService) -> None:
    idle_service.start_worker()
    style = bring(idle_service, picture()).json()["id"]
    refused = idle_service.client.post("/generate", params={"n": 1, "style": style})
    assert (refused.status_code, refused.json()["code"]) == (503, "no_style_transfer")
    assert "IMAGEMILL_VGG19" in refused.json()["detail"]
    assert len(idle_service.hashes(2)) == 2


def told(service: RunningService, style: str, mode: str, steps: int) -> dict[str, Any]:
    """What a job of full strength says of its style."""
    (weights,) = {worker.vgg19 for worker in ClusterState(service.redis).workers()}
    return {"id": style, "mode": mode, "strength": 1.0, "steps": steps, "weights": weights, "method": METHOD}


def test_images_take_a_style_and_keep_their_address(styling: RunningService) -> None:
    style = bring(styling, picture()).json()["id"]
    plain = styling.pixels(20, seed=31)
    job = styling.wait_done(styling.generate(20, seed=31, style=style, **STYLE)["id"])
    assert job["state"] == "succeeded", job
    assert job["style"] == told(styling, style, "standard", 2)
    archive = styling.download(job["id"])
    styled = [record["sha256"] for record in metadata(archive)]
    assert {record["style"] for record in metadata(archive)} == {style}
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        assert f"| style | `{style}`, standard, strength 1, 2 steps |" in file.read("README.md").decode()
    assert styling.hashes(5, seed=31, start=13, style=style, **STYLE) == styled[13:18]
    assert not set(plain) & set(styling.pixels(20, seed=31, style=style, **STYLE))
    assert styling.pixels(3, seed=31, style=style, style_strength=0, **STYLE) == plain[:3]
    path = f"/images/{PLAIN}/31/13.png"
    addressed = styling.client.get(path, params={"style": style, **STYLE}).content
    assert hashlib.sha256(addressed).hexdigest() == styled[13]
    assert hashlib.sha256(styling.client.get(path).content).hexdigest() == styling.hashes(1, seed=31, start=13)[0]
    assert styling.client.get(path, params=STYLE).status_code == 422


def test_a_styled_job_is_cancelled_within_a_step(styling: RunningService) -> None:
    style = bring(styling, picture()).json()["id"]
    job = styling.generate(40, model=PLAIN, style=style, style_steps=1000)
    wait_until(lambda: styling.job(job["id"])["state"] == "running")
    styling.client.post(job["links"]["cancel"])
    assert len(styling.hashes(2)) == 2  # the worker is free again


def test_the_command_line_uploads_a_picture_and_saves_styled_images(styling: RunningService, tmp_path: Path) -> None:
    (tmp_path / "painting.png").write_bytes(picture())
    arguments = ("-n", "3", "--seed", "31", "--style", "painting.png", "--steps", "2", "-o", "out.zip")
    done = imagemill("generate", *arguments, "--server", styling.url, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    style = bring(styling, picture()).json()["id"]
    found = [record["sha256"] for record in metadata((tmp_path / "out.zip").read_bytes())]
    assert found == styling.hashes(3, seed=31, style=style, **STYLE)
    (tmp_path / "painting.png").write_bytes(b"none")
    refused = imagemill("generate", *arguments, "--force", "--server", styling.url, cwd=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr == "Error: file: not an image in one of the formats PNG, JPEG, WEBP\n"


def learning(steps: int) -> dict[str, Any]:
    return {"style_mode": "distilled", "style_steps": steps}


def learnt(service: RunningService) -> int:
    return sum(path.read_text().count("style was learnt") for path in service.folder.glob("worker-*.log"))


def test_a_style_is_learnt_once_and_its_images_keep_their_address(styling: RunningService, weights: Path) -> None:
    style, before = bring(styling, picture()).json()["id"], learnt(styling)
    job = styling.wait_done(styling.generate(40, seed=31, style=style, **learning(6))["id"])
    assert job["state"] == "succeeded", job
    assert job["style"] == told(styling, style, "distilled", 6)
    styled = styling.job_hashes(job["id"])
    pixels = styling.pixels(40, seed=31, style=style, **learning(6))
    assert not set(pixels) & set(styling.pixels(40, seed=31))
    assert styling.hashes(5, seed=31, start=13, style=style, **learning(6)) == styled[13:18]
    assert learnt(styling) == before + 1
    for path in (styling.folder / "store" / "learnt").glob("*/weights.safetensors"):
        path.write_bytes(path.read_bytes()[:-1])
    styling.end_workers(signal.SIGTERM)
    styling.start_worker(IMAGEMILL_VGG19=str(weights), IMAGEMILL_THREADS="3")
    assert styling.hashes(40, seed=31, style=style, **learning(6)) == styled  # learnt again, to the bit
    assert learnt(styling) == before + 2


def test_images_styled_by_other_weights_have_another_address(styling: RunningService, tmp_path: Path) -> None:
    style = bring(styling, picture()).json()["id"]
    look = {"style": style, "style_steps": 2}
    path = f"/images/{PLAIN}/5/5.png"
    first = styling.client.get(path, params=look)
    job = styling.generate(3, seed=5, **look)["id"]
    styling.client.post(f"/jobs/{job}/cancel")
    tensors = vgg19_tensors()
    tensors["features.0.bias"] += 0.5
    save_file(tensors, tmp_path / "other.safetensors")
    styling.end_workers(signal.SIGTERM)
    styling.start_worker(IMAGEMILL_VGG19=str(tmp_path / "other.safetensors"))
    second = styling.client.get(path, params=look)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.content != second.content
    refused = styling.client.post(f"/jobs/{job}/retry")
    assert (refused.status_code, refused.json()["code"]) == (503, "no_style_transfer")
    styling.end_workers(signal.SIGTERM)
    styling.start_worker()
    refused = styling.client.post(f"/jobs/{job}/retry")
    assert (refused.status_code, refused.json()["code"]) == (503, "no_style_transfer")


def test_a_worker_killed_while_it_learns_loses_nothing(styling: RunningService, weights: Path) -> None:
    style = bring(styling, picture()).json()["id"]
    job = styling.generate(3, seed=31, style=style, **learning(14))
    wait_until(lambda: bool(list((styling.folder / "store" / "learnt").glob("*/state.safetensors"))))
    told = styling.job(job["id"])
    assert (told["state"], told["phase"], told["images_done"]) == ("running", "learning style", 0)
    assert 0 < told["style_learnt"] < 1
    styling.end_workers(signal.SIGKILL)
    styling.start_worker(IMAGEMILL_VGG19=str(weights))
    wait_until(lambda: styling.job(job["id"])["style_learnt"] > told["style_learnt"])
    assert styling.wait_done(job["id"])["state"] == "succeeded"
    disturbed = styling.job_hashes(job["id"])
    for path in (styling.folder / "store" / "learnt").glob("*/*"):
        path.unlink()
    styling.end_workers(signal.SIGTERM)
    styling.start_worker(IMAGEMILL_VGG19=str(weights))
    assert styling.hashes(3, seed=31, style=style, **learning(14)) == disturbed


def test_two_workers_learn_a_new_style_once_for_two_jobs(styling: RunningService, weights: Path) -> None:
    styling.start_worker(IMAGEMILL_VGG19=str(weights))
    style, before = bring(styling, picture()).json()["id"], learnt(styling)
    jobs = [styling.generate(3, seed=seed, style=style, **learning(5))["id"] for seed in (1, 2)]
    assert {styling.wait_done(job)["state"] for job in jobs} == {"succeeded"}
    assert learnt(styling) == before + 1


def test_other_jobs_run_while_a_style_is_learnt(styling: RunningService) -> None:
    style = bring(styling, picture()).json()["id"]
    job = styling.generate(3, style=style, **learning(1000))
    wait_until(lambda: styling.job(job["id"])["phase"] == "learning style")
    assert len(styling.hashes(2)) == 2
    assert not styling.job(job["id"])["done"]
    styling.client.post(job["links"]["cancel"])
    assert len(styling.hashes(2)) == 2  # the worker is free again


def test_the_command_line_shows_that_a_style_is_learnt(styling: RunningService, tmp_path: Path) -> None:
    (tmp_path / "painting.png").write_bytes(picture())
    arguments = ("-n", "3", "--style", "painting.png", "--style-mode", "distilled", "--steps", "7", "-o", "out.zip")
    done = imagemill("generate", *arguments, "--server", styling.url, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(metadata((tmp_path / "out.zip").read_bytes())) == 3


def test_a_removed_style_is_gone_and_its_datasets_stay(styling: RunningService) -> None:
    style = bring(styling, picture(side=44)).json()["id"]
    job = styling.wait_done(styling.generate(2, seed=1, style=style, **STYLE)["id"])
    archive = styling.client.get(job["links"]["download"]).content
    assert styling.client.delete(f"/styles/{style}").status_code == 204
    assert style not in [found["id"] for found in styling.client.get("/styles").json()["styles"]]
    for gone in (styling.client.get(f"/styles/{style}"), styling.client.delete(f"/styles/{style}")):
        assert (problem(gone)["status"], problem(gone)["code"]) == (404, "unknown_style")
    assert problem(styling.client.post("/generate", params={"n": 1, "style": style}))["code"] == "unknown_style"
    assert styling.client.get(job["links"]["download"]).content == archive
    styling.client.delete(f"/jobs/{job['id']}")
    for action in ("rebuild", "extend"):
        refused = problem(styling.client.post(job["links"][action], params={"n": 1} if action == "extend" else {}))
        assert (refused["status"], refused["code"]) == (409, "style_removed")
        assert style in refused["detail"]
    bring(styling, picture(side=44))
    rebuilt = styling.wait_done(styling.client.post(job["links"]["rebuild"]).json()["id"])
    assert styling.client.get(rebuilt["links"]["download"]).content == archive


def test_a_job_that_runs_keeps_its_style(styling: RunningService) -> None:
    style = bring(styling, picture(side=46)).json()["id"]
    job = styling.generate(2, seed=2, style=style, **STYLE)
    assert styling.client.delete(f"/styles/{style}").status_code == 204
    assert styling.wait_done(job["id"])["state"] == "succeeded"


def test_the_client_removes_a_style(service: RunningService) -> None:
    style = bring(service, picture(side=48)).json()["id"]
    with Client(service.url) as client:
        client.delete_style(style)
        client.delete_style(style)
        assert style not in [found.id for found in client.styles()]
