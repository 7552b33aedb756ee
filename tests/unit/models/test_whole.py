from pathlib import Path

import pytest

from models import whole
from tests.conftest import DiskOf


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    whole.write(tmp_path / "a" / "b.bin", b"new")
    assert (tmp_path / "a" / "b.bin").read_bytes() == b"new"


def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path: Path, disk_of: DiskOf) -> None:
    path = tmp_path / "b.bin"
    whole.write(path, b"old")
    with disk_of(100), pytest.raises(OSError, match="File too large"):
        whole.write(path, b"new" * 100)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_record_that_does_not_fit_is_not_there_in_part(tmp_path: Path, disk_of: DiskOf) -> None:
    path = tmp_path / "log"
    with disk_of(100):
        whole.append(path, b"a" * 60)
        with pytest.raises(OSError, match="File too large"):
            whole.append(path, b"b" * 60)
        whole.append(path, b"c" * 40)
    assert path.read_bytes() == b"a" * 60 + b"c" * 40
