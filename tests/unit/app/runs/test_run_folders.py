import fcntl
import os
from pathlib import Path

import pytest

from app.errors import ApiError
from app.runs.run_folders import RunFolders
from tests.browser.sample_runs import EPOCHS, write_epoch, write_runs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_runs(tmp_path)
    return tmp_path


def test_runs_are_listed_newest_first(folder: Path) -> None:
    (folder / ".00002").mkdir()
    (folder / "notes").mkdir()
    found = RunFolders(folder).list_runs()
    assert [(run.number, run.name) for run in found.runs] == [(1, "flagship-photos-64"), (0, "flagship-faces-64")]
    first = found.runs[-1]
    assert (first.state, first.epochs, first.images_seen, first.events) == ("ended", EPOCHS, 60_000, 1)
    assert first.metrics == {"fd": pytest.approx(20 + 100 / 12)}


def test_without_a_folder_there_are_no_runs(tmp_path: Path) -> None:
    assert not RunFolders(None).list_runs().has_folder
    assert RunFolders(tmp_path / "none").list_runs().runs == []


def test_a_run_names_its_samples_and_checkpoints(folder: Path) -> None:
    run = RunFolders(folder).find(0)
    assert run.samples == [5_000 * epoch for epoch in range(1, EPOCHS + 1)]
    assert run.checkpoints == ["healthy"]


def test_numbers_that_json_does_not_have_are_null(folder: Path) -> None:
    lines = RunFolders(folder).log(0, 0).lines
    assert lines[6].loss_g is None
    assert lines[5].loss_g is not None


def test_the_log_goes_on_where_the_client_stopped(folder: Path) -> None:
    runs = RunFolders(folder)
    (run,) = folder.glob("00000-*")
    after = runs.log(0, 0).next
    write_epoch(run, EPOCHS + 1)
    with (run / "log.jsonl").open("a") as file:
        file.write('{"epoch": 14, "loss')  # the trainer is writing
    found = runs.log(0, after)
    assert [line.epoch for line in found.lines] == [EPOCHS + 1]
    assert found.next == after + 1


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "loop"])
def test_what_is_no_file_of_a_run_is_not_opened(tmp_path: Path, kind: str) -> None:
    write_runs(tmp_path)
    (run,) = tmp_path.glob("00000-*")
    for name in ("log.jsonl", "owner"):
        path = run / name
        path.unlink(missing_ok=True)
        match kind:
            case "pipe":
                os.mkfifo(path)
            case "device":
                path.symlink_to("/dev/zero")
            case "folder":
                path.mkdir()
            case _:
                path.symlink_to(name)
    found = RunFolders(tmp_path).list_runs().runs
    assert [(each.number, each.epochs, each.state) for each in found][1:] == [(0, 0, "ended")]


def test_a_link_out_of_the_run_is_no_sheet(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret"
    secret.write_text("secret")
    (run,) = folder.glob("00000-*")
    (run / "samples" / "images-000000001.png").symlink_to(secret)
    with pytest.raises(ApiError, match="no samples"):
        RunFolders(folder).sample_file(0, 1)


def test_a_folder_whose_name_is_no_text_is_left_out(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/00007-\xff")).mkdir()
    assert [run.number for run in RunFolders(folder).list_runs().runs] == [1, 0]


def test_a_lock_shows_that_a_run_trains(folder: Path) -> None:
    (run,) = folder.glob("00000-*")
    with (run / "owner").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert RunFolders(folder).find(0).state == "running"
    assert RunFolders(folder).find(0).state == "ended"


@pytest.mark.parametrize("images", [1, 999_999_999])
def test_a_sheet_that_does_not_exist_is_refused(folder: Path, images: int) -> None:
    with pytest.raises(ApiError, match="has no samples"):
        RunFolders(folder).sample_file(0, images)


def test_an_unknown_run_is_refused(folder: Path) -> None:
    with pytest.raises(ApiError, match="there is no run 7"):
        RunFolders(folder).find(7)
