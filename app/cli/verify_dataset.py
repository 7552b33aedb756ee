"""Verifies a dataset with its signed manifest, for `imagemill verify --manifest`. It needs no service."""

import hashlib
from pathlib import Path

import typer
from pydantic import ValidationError

from app.cli.refusal import refuse_usage
from app.cli.terminal import print_json
from app.provenance.manifest import Images, Manifest, list_sha256
from app.provenance.signature import is_signed, load_public_key
from worker.contracts.formats import SUFFIXES


def verify_dataset(path: Path, manifest_path: Path, public_key: Path, *, is_json: bool) -> bool:
    """Print whether an archive, or the folder that it was unpacked to, is that of a manifest. Returns the same."""
    signature = manifest_path.with_suffix(".sig")
    if not signature.is_file():
        refuse_usage(f"{signature} is not there; download manifest.sig beside the manifest")
    content, key = manifest_path.read_bytes(), load_public_key(public_key)
    if is_signed(content, signature.read_bytes(), key):
        fault = _fault(path, content)
    else:
        fault = f"{manifest_path} is not signed by this key: it was changed, or another key signed it"
    if is_json:
        print_json({"file": str(path), "verified": fault is None, "reason": fault})
    else:
        parts = "Its images are those" if path.is_dir() else "It is the archive"
        typer.echo(f"{path}: {f'verified. {parts} of the signed manifest.' if fault is None else fault}")
    return fault is None


def _fault(path: Path, content: bytes) -> str | None:
    """Return why a dataset is not that of a manifest; None if it is."""
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError:
        return "the manifest has an unknown format; a newer version of imagemill may read it"
    if path.is_dir():
        return _fault_of_folder(path, manifest.images)
    size = path.stat().st_size
    if size != manifest.archive.size:
        return f"not the archive of the manifest: it has {size} bytes, and {manifest.archive.size} are expected"
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return None if sha256 == manifest.archive.sha256 else f"not the archive of the manifest: its SHA-256 is {sha256}"


def _fault_of_folder(folder: Path, images: Images) -> str | None:
    if images.format == "npz":
        return "the manifest is that of arrays (npz); verify the archive instead of a folder"
    if any(folder.glob("data/*.parquet")):
        return "the images are rows of Parquet files; verify the archive instead of a folder"
    files = [
        path for path in folder.rglob(f"*.{SUFFIXES[images.format]}") if path.stem.isascii() and path.stem.isdigit()
    ]
    if len(files) != images.count:
        return (
            f"not the images of the manifest: {len(files)} of {images.count} files are there; "
            "only the layouts imagefolder and webdataset have files of their own for images"
        )
    # Names are indices, so this is the order of the archive.
    files.sort(key=lambda path: int(path.stem))
    found = list_sha256(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)
    return None if found == images.list_sha256 else "not the images of the manifest: at least one file differs"
