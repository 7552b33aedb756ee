import os
import subprocess
from pathlib import Path

import pytest

from models import atomic_file
from tests.conftest import DiskOf


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    atomic_file.write(tmp_path / "a" / "b.bin", b"new")
    assert (tmp_path / "a" / "b.bin").read_bytes() == b"new"


def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path: Path, disk_of: DiskOf) -> None:
    path = tmp_path / "b.bin"
    atomic_file.write(path, b"old")
    with disk_of(100), pytest.raises(OSError, match="File too large"):
        atomic_file.write(path, b"new" * 100)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_record_that_does_not_fit_is_not_there_in_part(tmp_path: Path, disk_of: DiskOf) -> None:
    path = tmp_path / "log"
    with disk_of(100):
        atomic_file.append(path, b"a" * 60)
        with pytest.raises(OSError, match="File too large"):
            atomic_file.append(path, b"b" * 60)
        atomic_file.append(path, b"c" * 40)
    assert path.read_bytes() == b"a" * 60 + b"c" * 40


@pytest.mark.parametrize(
    "name", [".", "folder", "a-file/b.bin", "x" * 250], ids=["here", "a folder", "below a file", "long"]
)
def test_a_path_that_cannot_be_written_is_found_before_the_work_and_named_as_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("a-file").touch()
    for attempt in (atomic_file.check, lambda path: atomic_file.write(path, b"new")):
        with pytest.raises(OSError, match=r"irectory|too long") as found:
            attempt(Path(name))
        assert found.value.filename == name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-file", "folder"]


def test_a_path_that_can_be_written_is_found_good_and_stays_as_it_is(tmp_path: Path) -> None:
    atomic_file.check(tmp_path / "new" / "folders" / "b.bin")
    assert not list(tmp_path.iterdir())
    (tmp_path / "old.bin").write_bytes(b"old")
    atomic_file.check(tmp_path / "old.bin")
    assert (tmp_path / "old.bin").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["old.bin"]


def test_partial_files_of_ended_writers_are_removed_and_no_others(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    old = tmp_path / f".old.bin.{os.getppid()}.partial"
    gone = [tmp_path / f".state.bin.{ended.pid}.partial", tmp_path / f".own.{os.getpid()}.partial", old]
    kept = [tmp_path / name for name in (f".new.bin.{os.getppid()}.partial", ".mine.partial", "x.1.partial", "b.bin")]
    for path in (*gone, *kept):
        path.touch()
    os.utime(old, (0, 0))
    atomic_file.remove_abandoned(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(kept)
