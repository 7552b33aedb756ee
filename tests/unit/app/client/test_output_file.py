from contextlib import suppress
from pathlib import Path

import pytest

from app.client import ClientError, NotAvailableError, partial_file
from app.client.output_file import open_to_resume
from tests.conftest import DiskOf

OUT = "out.zip"


def test_a_file_takes_its_name_once_it_is_whole(tmp_path: Path) -> None:
    with open_to_resume(tmp_path / OUT, "abc") as file:
        file.write(b"whole")
        assert [path.name for path in tmp_path.iterdir()] == [".out.zip.abc.partial"]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {OUT: b"whole"}


def test_what_was_written_before_a_stop_is_continued(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), open_to_resume(tmp_path / OUT, "abc") as file:
        file.write(b"first, ")
        raise KeyboardInterrupt
    with open_to_resume(tmp_path / OUT, "abc") as file:
        file.write(b"second")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {OUT: b"first, second"}


def test_two_processes_do_not_write_the_same_file(tmp_path: Path) -> None:
    with open_to_resume(tmp_path / OUT, "abc") as file:
        with (
            pytest.raises(ClientError, match="another imagemill is writing"),
            open_to_resume(tmp_path / OUT, "abc"),
        ):
            pass
        file.write(b"first")
    assert (tmp_path / OUT).read_bytes() == b"first"


def test_a_full_disk_is_told_in_a_sentence_and_leaves_a_beginning(tmp_path: Path, disk_of: DiskOf) -> None:
    with (
        disk_of(100),
        pytest.raises(ClientError, match=r"^cannot write .*out\.zip \(File too large\)$") as refused,
        open_to_resume(tmp_path / OUT, "abc") as file,
    ):
        file.write(b"x" * 500)
    assert refused.value.retry_after_seconds is not None
    assert partial_file.path_of(tmp_path / OUT, "abc").read_bytes() == b"x" * 100
    assert not (tmp_path / OUT).exists()


def test_a_beginning_of_what_nobody_can_have_any_more_is_not_kept(tmp_path: Path) -> None:
    with suppress(NotAvailableError), open_to_resume(tmp_path / OUT, "abc") as file:
        file.write(b"a part")
        raise NotAvailableError("the job failed")
    assert list(tmp_path.iterdir()) == []


def test_a_beginning_is_kept_when_the_server_is_not_itself(tmp_path: Path) -> None:
    with suppress(ClientError), open_to_resume(tmp_path / OUT, "abc") as file:
        file.write(b"a part")
        raise ClientError("what answers there is not imagemill")
    assert partial_file.path_of(tmp_path / OUT, "abc").read_bytes() == b"a part"
