"""The description of a dataset in Croissant: mlcroissant reads the images and their labels by it."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.running_service import RunningService, wait_until
from tests.tiny import CLASSES, LABELLED

MEDIA_TYPE = "application/ld+json"
READ = """
import hashlib, json, sys
import mlcroissant
dataset = mlcroissant.Dataset(sys.argv[1], mapping={"archive": sys.argv[2]})
def plain(value):
    if hasattr(value, "convert"):
        return hashlib.sha256(value.convert("RGB").tobytes()).hexdigest()
    return value.decode() if isinstance(value, bytes) else value
for name in sys.argv[3:]:
    for record in dataset.records(name):
        print(json.dumps([name, {key: plain(value) for key, value in record.items()}]))
"""


def described(service: RunningService, job: dict[str, Any]) -> dict[str, Any]:
    response = service.client.get(job["links"]["croissant"])
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == MEDIA_TYPE
    return dict(response.json())


def read(service: RunningService, job: dict[str, Any], folder: Path, *names: str) -> dict[str, list[dict[str, Any]]]:
    """Read record sets of a downloaded archive by its description."""
    (folder / "croissant.json").write_text(json.dumps(described(service, job)))
    (folder / "archive").write_bytes(service.download(job["id"]))
    arguments = [str(folder / "croissant.json"), str(folder / "archive"), *names]
    done = subprocess.run(
        [sys.executable, "-c", READ, *arguments],
        env={**os.environ, "CROISSANT_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr.lower()
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for line in done.stdout.splitlines():
        name, record = json.loads(line)
        found[name].append({key.removeprefix(f"{name}/"): value for key, value in record.items()})
    return found


def pixels_by_index(service: RunningService, query: dict[str, str]) -> dict[int, str]:
    """Return the checksum of the pixels of each image, of a job of arrays."""
    import io
    import zipfile

    job = service.wait_done(service.generate(20, seed=5, format="npz", **query)["id"])
    with zipfile.ZipFile(io.BytesIO(service.download(job["id"]))) as file:
        raw = b"".join(file.read(name)[128:] for name in sorted(file.namelist()) if name.startswith("images_"))
    size = len(raw) // 20
    return {index: hashlib.sha256(raw[index * size :][:size]).hexdigest() for index in range(20)}


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_images_and_labels_are_read_out_of_the_zip(service: RunningService, tmp_path: Path, kind: str) -> None:
    job = service.wait_done(service.generate(20, seed=5, model=LABELLED, format=kind)["id"])
    found = read(service, job, tmp_path, "images", "metadata")
    expected = pixels_by_index(service, {"model": LABELLED})
    assert {record["index"]: record["label"] for record in found["metadata"]} == {k: CLASSES[k % 3] for k in range(20)}
    images = {int(Path(record["file_name"]).stem): record for record in found["images"]}
    assert {index: record["image"] for index, record in images.items()} == expected
    assert {index: record["label"] for index, record in images.items()} == {k: CLASSES[k % 3] for k in range(20)}


def test_images_without_classes_are_read(service: RunningService, tmp_path: Path) -> None:
    job = service.wait_done(service.generate(20, seed=5)["id"])
    found = read(service, job, tmp_path, "images")["images"]
    assert {int(Path(each["file_name"]).stem): each["image"] for each in found} == pixels_by_index(service, {})


def test_a_tar_is_read_by_keys(service: RunningService, tmp_path: Path) -> None:
    job = service.wait_done(service.generate(20, seed=5, model=LABELLED, layout="webdataset")["id"])
    found = read(service, job, tmp_path, "images", "labels", "metadata")
    expected = pixels_by_index(service, {"model": LABELLED})
    assert {int(record["key"]): record["image"] for record in found["images"]} == expected
    assert {int(record["key"]): record["label_id"] for record in found["labels"]} == {k: k % 3 for k in range(20)}
    records = {int(record["key"]): json.loads(record["json"]) for record in found["metadata"]}
    assert all(record["index"] == key for key, record in records.items())


@pytest.mark.parametrize("query", [{"format": "npz"}, {"layout": "parquet"}, {"model": LABELLED, "keep": 0.5}])
def test_all_datasets_have_valid_descriptions(service: RunningService, tmp_path: Path, query: dict[str, str]) -> None:
    job = service.wait_done(service.generate(20, seed=5, **query)["id"])
    found = read(service, job, tmp_path, *(["metadata"] if "layout" not in query else []))
    assert all(len(records) == 20 for records in found.values())


def test_the_description_has_the_checksum_and_an_absolute_address(service: RunningService) -> None:
    job = service.wait_done(service.generate(5, seed=5)["id"])
    (archive, *_) = described(service, job)["distribution"]
    downloaded = service.client.get(archive["contentUrl"]).content
    assert archive["contentUrl"] == f"{service.url}{job['links']['download']}"
    assert archive["sha256"] == hashlib.sha256(downloaded).hexdigest()
    assert archive["contentSize"] == f"{len(downloaded)} B"


def test_a_missing_checksum_is_computed(service: RunningService) -> None:
    job = service.wait_done(service.generate(5, seed=5)["id"])
    digest = service.folder / "store" / "jobs" / job["id"] / "digest.json"
    wait_until(digest.exists)
    expected = described(service, job)
    digest.unlink()
    assert described(service, job) == expected
    assert digest.exists()


def test_a_running_job_has_no_description_yet(idle_service: RunningService) -> None:
    job = idle_service.generate(5, seed=5)
    response = idle_service.client.get(job["links"]["croissant"])
    assert (response.status_code, response.json()["code"]) == (409, "not_ready")
    assert int(response.headers["Retry-After"]) > 0
    idle_service.client.post(job["links"]["cancel"])
    response = idle_service.client.get(job["links"]["croissant"])
    assert (response.status_code, response.json()["code"]) == (409, "job_cancelled")


def test_the_address_has_the_prefix_of_a_proxy(service: RunningService) -> None:
    job = service.wait_done(service.generate(5, seed=5)["id"])
    found = service.client.get(job["links"]["croissant"], headers={"X-Forwarded-Prefix": "/mill"}).json()
    assert found["distribution"][0]["contentUrl"] == f"{service.url}/mill{job['links']['download']}"
