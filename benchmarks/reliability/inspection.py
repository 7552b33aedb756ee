"""What must hold of a job whatever was killed: every image, the right bytes, one archive, nothing besides."""

import hashlib
import io
import json
import re
import zipfile
from pathlib import Path

from worker.contracts.jobs import JobSpec

Expected = list[str]
"""The sha256 of images, in index order."""

_RECORDS = "metadata.jsonl"
_DATA = re.compile(r"shards/(\d{5})\.[0-9a-f]{32}\.bin")


def image_hashes(archive: bytes) -> Expected:
    """Hash all images of an archive, in index order; raises AssertionError if it is not what it says of itself."""
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        names = file.namelist()
        records = [json.loads(line) for line in file.read(_RECORDS).splitlines()]
        hashes = [hashlib.sha256(file.read(record["file_name"])).hexdigest() for record in records]
    images = [name for name in names if name.startswith("images/")]
    _check(len(names) == len(set(names)), "a name is in the archive twice")
    _check([record["file_name"] for record in records] == images, "records and images differ")
    _check([record["sha256"] for record in records] == hashes, "an image is not what its record says")
    return hashes


def check_files(store: Path, spec: JobSpec) -> None:
    """Raise AssertionError unless the store has what one published archive needs, and nothing else."""
    folder = store / "jobs" / spec.id
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    counted = sorted(_DATA.sub(r"shards/\1.bin", name) for name in found)
    shards = [f"shards/{k:05d}.{kind}" for k in range(spec.shard_count) for kind in ("bin", "json")]
    wanted = sorted(["archive.json", "spec.json", "state.json", "tail.bin", *shards])
    _check(counted == wanted, f"the store has {found}")
    _check(not (store / "open" / spec.id).exists(), "the job is still marked as open")


def _check(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise AssertionError(otherwise)
