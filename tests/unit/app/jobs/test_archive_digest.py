import hashlib
import os
from pathlib import Path

import anyio
import pytest

from app.jobs.archive_digest import ArchiveDigests
from tests.unit.conftest import MakeSpec
from worker.contracts.jobs import JobSpec
from worker.contracts.store.archive_index import ArchivePart, ArchivePlan
from worker.contracts.store.object_store import Objects
from worker.contracts.store.paths import FOLDERS
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError

JOB_ID = "x" * 22


def plan_of(folder: Path, *parts: tuple[int, int]) -> tuple[ArchivePlan, bytes]:
    """Store 3 MB, and return an archive of parts of it with its bytes."""
    data = os.urandom(3_000_000)
    objects = Objects(str(folder), FOLDERS, 1)
    objects.put("jobs/x/data.bin", data)
    plan = ArchivePlan(
        parts=tuple(ArchivePart(path="jobs/x/data.bin", start=start, size=size) for start, size in parts), tail_crc32=0
    )
    objects.put(f"jobs/{JOB_ID}/archive.json", plan.model_dump_json().encode())
    return plan, b"".join(data[start : start + size] for start, size in parts)


def sha256(store: Store, spec: JobSpec, plan: ArchivePlan) -> str:
    return anyio.run(ArchiveDigests(store).sha256, spec, plan)


@pytest.mark.parametrize(
    "parts", [[(0, 3_000_000)], [(5, 10), (20, 2_500_000), (0, 4)], [(1_048_570, 12), (1_500_000, 1)]]
)
def test_the_checksum_is_that_of_the_downloaded_bytes(
    tmp_path: Path, make_spec: MakeSpec, parts: list[tuple[int, int]]
) -> None:
    plan, archive = plan_of(tmp_path, *parts)
    assert sha256(Store(str(tmp_path)), make_spec(), plan) == hashlib.sha256(archive).hexdigest()


def test_a_checksum_is_computed_once(tmp_path: Path, make_spec: MakeSpec) -> None:
    (plan, archive), store = plan_of(tmp_path, (0, 100)), Store(str(tmp_path))
    assert store.archives.digest(make_spec().id) is None
    assert sha256(store, make_spec(), plan) == hashlib.sha256(archive).hexdigest()
    (tmp_path / "jobs/x/data.bin").unlink()
    assert sha256(store, make_spec(), plan) == hashlib.sha256(archive).hexdigest()


def test_a_damaged_checksum_is_computed_again(tmp_path: Path, make_spec: MakeSpec) -> None:
    (plan, archive), store, spec = plan_of(tmp_path, (0, 100)), Store(str(tmp_path)), make_spec()
    Objects(str(tmp_path), FOLDERS, 1).put(f"jobs/{spec.id}/digest.json", b"{")
    assert sha256(store, spec, plan) == hashlib.sha256(archive).hexdigest()


def test_a_missing_part_is_damage(tmp_path: Path, make_spec: MakeSpec) -> None:
    plan, _ = plan_of(tmp_path, (0, 100))
    (tmp_path / "jobs/x/data.bin").unlink()
    with pytest.raises(DamagedError, match="is gone"):
        sha256(Store(str(tmp_path)), make_spec(), plan)


def test_a_checksum_of_removed_images_is_not_stored(tmp_path: Path, make_spec: MakeSpec) -> None:
    (plan, archive), store, spec = plan_of(tmp_path, (0, 100)), Store(str(tmp_path)), make_spec()
    digest = store.archives.compute_digest(spec.id, plan, lambda: store.jobs.expire(spec.id))
    assert digest.sha256 == hashlib.sha256(archive).hexdigest()
    assert store.archives.digest(spec.id) is None
