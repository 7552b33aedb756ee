import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest

from benchmarks.reliability.inspection import InspectionError, image_hashes, store_mismatch
from tests.unit.conftest import spec_of
from worker.contracts.job_state import JobState
from worker.contracts.store.archive_index import ImageTable
from worker.contracts.store.store import Store

SPEC = spec_of(n=10)


def archive(said: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("images/0.png", b"pixels")
        record = {"file_name": "images/0.png", "sha256": hashlib.sha256(said).hexdigest()}
        made.writestr("metadata.jsonl", json.dumps(record))
    return file.getvalue()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    store = Store(str(tmp_path))
    store.jobs.create(SPEC)
    for shard in range(SPEC.shard_count):
        store.shards.commit(SPEC.id, shard, b"data", ImageTable())
    store.archives.publish(SPEC.id, [], b"tail")
    state = JobState(outcome="succeeded", started=None, finished=SPEC.created)
    store.jobs.finish(SPEC.id, state)
    store.jobs.close(SPEC.id)
    return tmp_path


def test_images_are_hashed_themselves() -> None:
    assert image_hashes(archive(b"pixels")) == [hashlib.sha256(b"pixels").hexdigest()]


def test_an_image_that_is_not_what_its_record_says_is_found() -> None:
    with pytest.raises(InspectionError, match="not what its record says"):
        image_hashes(archive(b"other pixels"))


def test_a_finished_job_is_tidy(store: Path) -> None:
    assert store_mismatch(store, SPEC) is None


@pytest.mark.parametrize("name", [f"shards/00001.{'a' * 32}.bin", "shards/00001.json#1", "tail.bin#1"])
def test_what_is_left_over_is_found(store: Path, name: str) -> None:
    (store / "jobs" / SPEC.id / name).write_bytes(b"")
    assert "the store has" in str(store_mismatch(store, SPEC))


def test_a_missing_commit_and_a_marker_are_found(store: Path) -> None:
    (store / "open" / SPEC.id).write_bytes(b"")
    assert store_mismatch(store, SPEC) == "the job is still marked as open"
    (store / "jobs" / SPEC.id / "shards" / "00001.json").unlink()
    assert "the store has" in str(store_mismatch(store, SPEC))
