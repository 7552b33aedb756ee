"""Signed manifests over HTTP, and `imagemill verify` for images and datasets."""

import hashlib
import io
import json
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from PIL import Image

from app.client import Client, FileError
from imagemill.start import command
from tests.command import ENVIRONMENT
from tests.integration.running_service import RunningService, metadata
from tests.tiny import LABELLED, PLAIN


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A private key and its public key, as `openssl genpkey -algorithm ed25519` writes them."""
    folder, key = tmp_path_factory.mktemp("keys"), Ed25519PrivateKey.generate()
    private, public = folder / "key.pem", folder / "public.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


@pytest.fixture
def signing(service: RunningService, keys: tuple[Path, Path]) -> Iterator[httpx.Client]:
    """An API process that signs manifests."""
    with service.another_api(IMAGEMILL_SIGNING_KEY=str(keys[0])) as (client, _):
        yield client


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("verify", *map(str, arguments)),
        env=ENVIRONMENT | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def finished(service: RunningService, n: int, **query: Any) -> str:
    return str(service.wait_done(service.generate(n, **query)["id"])["id"])


def saved(client: httpx.Client, job: str, folder: Path) -> tuple[Path, Path]:
    """Save the archive and the manifest of a job. Returns their paths."""
    archive, manifest = folder / "faces.zip", folder / "manifest.json"
    archive.write_bytes(client.get(f"/jobs/{job}/download").content)
    for name in ("manifest.json", "manifest.sig"):
        (folder / name).write_bytes(client.get(f"/jobs/{job}/{name}").raise_for_status().content)
    return archive, manifest


def test_a_manifest_describes_the_dataset(service: RunningService, signing: httpx.Client) -> None:
    job = finished(service, 20, model=LABELLED, seed=5, start=7)
    response = signing.get(f"/jobs/{job}/manifest.json")
    assert response.headers["Content-Type"] == "application/json"
    manifest, archive = response.json(), service.download(job)
    assert manifest["archive"]["size"] == len(archive)
    assert manifest["archive"]["sha256"] == hashlib.sha256(archive).hexdigest()
    assert manifest["archive"]["name"].endswith(".zip")
    images = manifest["images"]
    assert (images["count"], images["seed"], images["first_index"], images["next_index"]) == (20, 5, 7, 27)
    assert sum(images["classes"].values()) == 20
    assert images["digital_source_type"].endswith("/trainedAlgorithmicMedia")
    lines = "".join(f"{record['sha256']}\n" for record in metadata(archive))
    assert images["list_sha256"] == hashlib.sha256(lines.encode()).hexdigest()
    assert manifest["model"]["sha256"] == service.job(job)["model_sha256"]


def test_manifest_and_signature_are_always_the_same(service: RunningService, signing: httpx.Client) -> None:
    jobs = [finished(service, 20, seed=5), finished(service, 20, seed=5)]
    for name in ("manifest.json", "manifest.sig"):
        found = {signing.get(f"/jobs/{job}/{name}").raise_for_status().content for job in (*jobs, *jobs)}
        assert len(found) == 1
    assert len(found.pop()) == 64


def test_a_selection_has_a_manifest(service: RunningService, signing: httpx.Client, tmp_path: Path, keys: Any) -> None:
    job = finished(service, 8, model=LABELLED, seed=5, keep=0.5, classes="circle:5,cross:3")
    archive, manifest = saved(signing, job, tmp_path)
    content = json.loads(manifest.read_text())
    assert content["images"]["classes"] == {"circle": 5, "cross": 3}
    assert content["model"]["gate"]
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path / "faces")
    assert run(tmp_path / "faces", "--manifest", manifest, "--public-key", keys[1]).returncode == 0


def test_without_a_key_there_are_no_manifests(service: RunningService) -> None:
    job = finished(service, 2)
    for name in ("manifest.json", "manifest.sig"):
        refused = service.client.get(f"/jobs/{job}/{name}")
        assert (refused.status_code, refused.json()["code"]) == (404, "no_signing_key")


def test_a_job_that_has_not_ended_has_no_manifest_yet(idle_service: RunningService, keys: tuple[Path, Path]) -> None:
    with idle_service.another_api(IMAGEMILL_SIGNING_KEY=str(keys[0])) as (client, _):
        job = idle_service.generate(2)["id"]
        refused = client.get(f"/jobs/{job}/manifest.json")
        assert (refused.status_code, refused.json()["code"]) == (409, "not_ready")
        assert refused.headers["Retry-After"] == "1"
        client.post(f"/jobs/{job}/cancel")
        assert client.get(f"/jobs/{job}/manifest.sig").json()["code"] == "job_cancelled"


def test_the_command_verifies_archives_and_folders(
    service: RunningService, signing: httpx.Client, tmp_path: Path, keys: tuple[Path, Path]
) -> None:
    archive, manifest = saved(signing, finished(service, 12, model=LABELLED, seed=5, start=999_995), tmp_path)
    options = ("--manifest", manifest, "--public-key", keys[1])
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path / "faces")
    for path in (archive, tmp_path / "faces"):
        done = run(path, *options)
        assert (done.returncode, done.stderr) == (0, "")
        assert "verified" in done.stdout
    image = next((tmp_path / "faces" / "images").rglob("*.png"))
    image.write_bytes(image.read_bytes()[:-1] + b"\0")
    assert "at least one file differs" in run(tmp_path / "faces", *options).stdout
    image.unlink()
    assert "11 of 12 files" in run(tmp_path / "faces", *options).stdout
    archive.write_bytes(archive.read_bytes()[:-1] + b"\1")
    changed = run(archive, *options, "--json")
    assert changed.returncode == 1
    assert json.loads(changed.stdout)["verified"] is False
    manifest.write_text(manifest.read_text().replace('"seed": 5', '"seed": 6'))
    assert "not signed by this key" in run(archive, *options).stdout


def test_an_unpacked_tar_is_verified(
    service: RunningService, signing: httpx.Client, tmp_path: Path, keys: tuple[Path, Path]
) -> None:
    archive, manifest = saved(signing, finished(service, 12, seed=5, layout="webdataset"), tmp_path)
    with tarfile.open(archive) as file:
        file.extractall(tmp_path / "faces", filter="data")
    for path in (archive, tmp_path / "faces"):
        assert run(path, "--manifest", manifest, "--public-key", keys[1]).returncode == 0


def test_the_folder_of_a_parquet_archive_is_verified_as_an_archive(
    service: RunningService, signing: httpx.Client, tmp_path: Path, keys: tuple[Path, Path]
) -> None:
    archive, manifest = saved(signing, finished(service, 12, seed=5, layout="parquet"), tmp_path)
    (tmp_path / "faces").mkdir()
    done = run(tmp_path / "faces", "--manifest", manifest, "--public-key", keys[1])
    assert done.returncode == 1
    assert "0 of 12 files are there; only the layouts imagefolder and webdataset" in done.stdout
    assert run(archive, "--manifest", manifest, "--public-key", keys[1]).returncode == 0


def test_a_key_of_another_operator_does_not_verify(
    service: RunningService, signing: httpx.Client, tmp_path: Path
) -> None:
    archive, manifest = saved(signing, finished(service, 2), tmp_path)
    other = tmp_path / "other.pem"
    key = Ed25519PrivateKey.generate()
    other.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    done = run(archive, "--manifest", manifest, "--public-key", other)
    assert done.returncode == 1
    assert "another key signed it" in done.stdout


@pytest.mark.parametrize("options", [[], ["--manifest", "{file}"], ["--manifest", "{file}", "--public-key", "{file}"]])
def test_a_wrong_command_line_is_refused(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "file").touch()
    arguments = [option.format(file=tmp_path / "file") for option in options]
    refused = run(tmp_path, *arguments)
    assert refused.returncode == 2
    assert refused.stderr.startswith("Error: ")


def test_the_command_and_the_client_verify_images(service: RunningService, tmp_path: Path) -> None:
    own, foreign = tmp_path / "own.png", tmp_path / "foreign.png"
    own.write_bytes(service.client.get(f"/images/{PLAIN}/5/3.png").content)
    Image.new("RGB", (40, 40), "red").save(foreign)
    done = run(own, "--server", service.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{own}: equal. This service made the image")
    both = run(own, foreign, "--json", "--server", service.url)
    assert both.returncode == 1
    first, second = map(json.loads, both.stdout.splitlines())
    assert (first["file"], first["made_here"], first["verdict"]) == (str(own), True, "equal")
    assert (second["made_here"], second["verdict"]) == (None, "unmarked")
    dataset = tmp_path / "faces.zip"
    dataset.write_bytes(b"PK")
    mixed = run(dataset, own, "--server", service.url)
    assert mixed.returncode == 1
    assert mixed.stderr.startswith(f"Error: {dataset}: not an image")
    assert "to verify a dataset, add --manifest" in mixed.stderr
    assert mixed.stdout == done.stdout  # the other files are verified
    with Client(service.url) as client:
        found = client.verify(own)
        assert found.made_here
        assert found.difference is not None
        assert found.difference.maximum == 0
        with pytest.raises(FileError, match="cannot read"):
            client.verify(tmp_path / "missing.png")


def test_images_from_an_archive_are_verified(service: RunningService, tmp_path: Path) -> None:
    job = finished(service, 3, format="webp")
    with zipfile.ZipFile(io.BytesIO(service.download(job))) as file:
        names = [name for name in file.namelist() if name.endswith(".webp")]
        paths = [Path(file.extract(name, tmp_path)) for name in names]
    assert len(paths) == 3
    assert run(*paths, "--server", service.url).returncode == 0
