"""Checks an ended job: every image, the right bytes, one archive, and no other objects."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

from worker.contracts.jobs import JobSpec
from worker.contracts.store.store import Store

Expected = list[str]
"""The sha256 of images, in index order."""

_RECORDS = "metadata.jsonl"
_DATA = re.compile(r"shards/(\d{5})\.[0-9a-f]{32}\.bin")
_LATER = "digest.json"
"""A worker computes it after the end of the job, unless it stops. The API computes it when it is asked for."""


class InspectionError(Exception):
    """A condition does not hold."""


def image_hashes(archive: bytes) -> Expected:
    """Hash all images of an archive, in index order. Raises InspectionError if its metadata are wrong."""
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        names = file.namelist()
        records = [json.loads(line) for line in file.read(_RECORDS).splitlines()]
        hashes = [hashlib.sha256(file.read(record["file_name"])).hexdigest() for record in records]
    images = [name for name in names if name.startswith("images/")]
    check(len(names) == len(set(names)), "a name is in the archive twice")
    check([record["file_name"] for record in records] == images, "records and images differ")
    check([record["sha256"] for record in records] == hashes, "an image is not what its record says")
    return hashes


def store_mismatch(store: Path, spec: JobSpec) -> str | None:
    """Describe missing and superfluous objects of a job with one archive. Returns None if there are none."""
    folder = store / "jobs" / spec.id
    files = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    found = sorted(name for name in files if name != _LATER)
    shards = [f"shards/{k:05d}.{kind}" for k in _expected_shards(store, spec) for kind in ("bin", "json")]
    wanted = sorted(["archive.json", "spec.json", "state.json", "tail.bin", *shards])
    if sorted(_DATA.sub(r"shards/\1.bin", name) for name in found) != wanted:
        return f"the store has {found}"
    return "the job is still marked as open" if (store / "open" / spec.id).exists() else None


def _expected_shards(store: Path, spec: JobSpec) -> Iterable[int]:
    """Return the shards of the archive, and those that workers rendered beyond the last image of a selection."""
    if spec.selection is None:
        return range(spec.shard_count)
    opened = Store(str(store))
    needed = {shard.piece.shard for shard in opened.choices.chosen_shards(spec)}
    return needed | {shard for shard in opened.shards.committed(spec.id) if shard > max(needed)}


def check(is_so: bool, otherwise: str) -> None:
    """Raise InspectionError if the condition is false."""
    if not is_so:
        raise InspectionError(otherwise)
