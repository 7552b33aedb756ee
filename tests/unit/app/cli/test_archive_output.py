from pathlib import Path

import pytest

from app.cli.archive_output import check_writable
from app.client import ClientError

OUT = "out.zip"


@pytest.mark.parametrize("folder", ["missing", "file", "/proc"])
def test_a_place_where_no_file_can_be_made_is_refused(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ClientError, match=f"^cannot write .*{OUT} "):
        check_writable(tmp_path / folder / OUT)


def test_a_place_where_one_can_be_made_is_left_as_it_was(tmp_path: Path) -> None:
    check_writable(tmp_path / OUT)
    assert list(tmp_path.iterdir()) == []
