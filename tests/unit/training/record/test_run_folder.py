from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from training.record import create_folder


def test_folders_are_numbered_and_named(tmp_path: Path) -> None:
    folders = [create_folder(tmp_path / "runs", "dcgan", "pets") for _ in range(2)]
    assert [folder.name for folder in folders] == ["00000-dcgan-pets", "00001-dcgan-pets"]
    assert all((folder / "samples").is_dir() for folder in folders)


def test_no_number_is_given_twice_to_those_who_ask_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda k: create_folder(tmp_path, "dcgan", f"pets-{k}"), range(64)))
    numbers = sorted(int(folder.name[:5]) for folder in folders)
    assert len(set(numbers)) == 64
    assert sorted(tmp_path.iterdir()) == sorted(folders)


def test_numbers_go_on_beyond_five_digits(tmp_path: Path) -> None:
    (tmp_path / "99999-dcgan-pets").mkdir()
    assert [create_folder(tmp_path, "dcgan", "pets").name for _ in range(2)] == [
        "100000-dcgan-pets",
        "100001-dcgan-pets",
    ]


def test_what_is_no_run_has_no_number(tmp_path: Path) -> None:
    for name in ("2024", "old-00007-run", "notes.txt"):
        (tmp_path / name).mkdir()
    assert create_folder(tmp_path, "dcgan", "pets").name == "00000-dcgan-pets"


def test_a_number_that_a_crash_left_claimed_is_skipped(tmp_path: Path) -> None:
    (tmp_path / ".00000").mkdir()
    assert create_folder(tmp_path, "dcgan", "pets").name == "00001-dcgan-pets"
