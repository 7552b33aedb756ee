"""Our modules are imported, whatever lies in the current folder and in PYTHONPATH."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from imagemill.start import command

SCRIPT = str(Path(sys.executable).with_name("imagemill"))
PACKAGES = ("app", "models", "training", "worker")
NAMES = (
    *(f"{package}.py" for package in PACKAGES),
    *(f"{name}.py" for name in ("imagemill", "redis", "types", "numpy", "logging", "queue", "secrets", "httpx")),
    "PIL/__init__.py",
    "pydantic/__init__.py",
)
TWINS = tuple(f"{package}/__init__.py" for package in PACKAGES)
RAN = "THE USER'S OWN FILE RAN"


def write(folder: Path, names: Iterable[str]) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f'print("{RAN}", __file__)')
    return folder


def run(line: list[str], cwd: Path, **environment: str) -> str:
    """Run a command that has to succeed. Returns what it says."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(line, cwd=cwd, env=clean | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "line",
    [
        command("--help"),
        [sys.executable, "-P", "-m", "imagemill", "--help"],
        [SCRIPT, "--help"],
        [SCRIPT, "worker", "--help"],
        [SCRIPT, "train", "--help"],
        command(module="app.main"),
        command(module="worker.contracts.uploaded_images"),
    ],
)
@pytest.mark.parametrize("names", [NAMES, TWINS], ids=["modules", "packages"])
def test_files_of_the_current_folder_are_not_imported(line: list[str], names: tuple[str, ...], tmp_path: Path) -> None:
    assert RAN not in run(line, write(tmp_path, names))


@pytest.mark.parametrize("line", [[SCRIPT, "--help"], [SCRIPT, "export", "--help"], command(module="app.main")])
@pytest.mark.parametrize("names", [TWINS, (*TWINS, "redis.py", "httpx/__init__.py", "typer.py")], ids=["ours", "all"])
def test_pythonpath_cannot_replace_our_packages_or_what_they_need(
    line: list[str], names: tuple[str, ...], tmp_path: Path
) -> None:
    folder = write(tmp_path / "other", names)
    assert RAN not in run(line, tmp_path, PYTHONPATH=str(folder))


@pytest.mark.parametrize("line", [[SCRIPT, "--help"], command("--help")])
@pytest.mark.parametrize("path", [":", ".", "::/nowhere", "other:."])
def test_a_pythonpath_that_names_the_current_folder_does_no_harm(line: list[str], path: str, tmp_path: Path) -> None:
    assert RAN not in run(
        line, write(tmp_path, (*TWINS, "redis.py", "rich.py", "types.py", "queue.py")), PYTHONPATH=path
    )


def test_pythonpath_still_adds_packages(tmp_path: Path) -> None:
    write(tmp_path / "other", ["a_package_of_the_users.py"])
    assert RAN in run(command(module="a_package_of_the_users"), tmp_path, PYTHONPATH=str(tmp_path / "other"))


def test_another_distribution_cannot_take_the_names_of_our_commands(tmp_path: Path) -> None:
    other = write(tmp_path / "other", ["thief.py"]) / "thief-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: thief\nVersion: 1.0\n")
    (other / "entry_points.txt").write_text("[imagemill.commands]\ntrain = thief:main\nthief = thief:main\n")
    said = run([SCRIPT, "train", "--help"], tmp_path, PYTHONPATH=str(tmp_path / "other"))
    assert RAN not in said
    assert "thief" not in run([SCRIPT, "--help"], tmp_path, PYTHONPATH=str(tmp_path / "other"))


def test_a_folder_that_was_removed_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    removing = 'cd gone && rmdir ../gone && exec "$@"'
    run(["bash", "-c", removing, "bash", *command("--help")], tmp_path)
