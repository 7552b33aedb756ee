from contextlib import suppress
from pathlib import Path

import pytest

from app.cli import output_file
from app.client import partial_file
from app.client.client import ClientError, JobLostError
from tests.conftest import DiskOf

OUT = "out.zip"


def test_a_file_takes_its_name_once_it_is_whole(tmp_path: Path) -> None:
    with output_file.written(tmp_path / OUT, "abc") as file:
        file.write(b"whole")
        assert [path.name for path in tmp_path.iterdir()] == [".out.zip.abc.partial"]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {OUT: b"whole"}


def test_what_was_written_before_a_stop_is_continued(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), output_file.written(tmp_path / OUT, "abc") as file:
        file.write(b"first, ")
        raise KeyboardInterrupt
    with output_file.written(tmp_path / OUT, "abc") as file:
        file.write(b"second")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {OUT: b"first, second"}


def test_two_processes_do_not_write_the_same_file(tmp_path: Path) -> None:
    with output_file.written(tmp_path / OUT, "abc") as file:
        with (
            pytest.raises(ClientError, match="another imagemill is writing"),
            output_file.written(tmp_path / OUT, "abc"),
        ):
            pass
        file.write(b"first")
    assert (tmp_path / OUT).read_bytes() == b"first"


@pytest.mark.parametrize("folder", ["missing", "file", "/proc"])
def test_a_place_where_no_file_can_be_made_is_refused(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ClientError, match=f"^cannot write .*{OUT} "):
        output_file.check(tmp_path / folder / OUT)


def test_a_place_where_one_can_be_made_is_left_as_it_was(tmp_path: Path) -> None:
    output_file.check(tmp_path / OUT)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_in_a_sentence_and_leaves_a_beginning(tmp_path: Path, disk_of: DiskOf) -> None:
    with (
        disk_of(100),
        pytest.raises(ClientError, match=r"^cannot write .*out\.zip \(File too large\)$") as refused,
        output_file.written(tmp_path / OUT, "abc") as file,
    ):
        file.write(b"x" * 500)
    assert refused.value.retry_after_seconds is not None
    assert partial_file.path_of(tmp_path / OUT, "abc").read_bytes() == b"x" * 100
    assert not (tmp_path / OUT).exists()


def test_a_beginning_of_what_nobody_can_have_any_more_is_not_kept(tmp_path: Path) -> None:
    with suppress(JobLostError), output_file.written(tmp_path / OUT, "abc") as file:
        file.write(b"a part")
        raise JobLostError("the job failed")
    assert list(tmp_path.iterdir()) == []


def test_a_beginning_is_kept_when_the_server_is_not_itself(tmp_path: Path) -> None:
    with suppress(ClientError), output_file.written(tmp_path / OUT, "abc") as file:
        file.write(b"a part")
        raise ClientError("what answers there is not imagemill")
    assert partial_file.path_of(tmp_path / OUT, "abc").read_bytes() == b"a part"
