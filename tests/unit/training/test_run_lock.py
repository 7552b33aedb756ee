"""Real processes that want the same run folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from training import run_lock
from training.errors import StateError

HOLDER = """
import sys
from pathlib import Path
from training import run_lock
with run_lock.hold(Path(sys.argv[1])):
    print("owned", flush=True)
    sys.stdin.readline()
"""


def holder(folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", HOLDER, str(folder)]
    root = Path(__file__).parents[3]
    process = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "owned\n"
    return process


@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped"])
def test_a_second_owner_is_refused_and_told_who_the_first_is(tmp_path: Path, stopped: bool) -> None:
    first = holder(tmp_path)
    if stopped:
        first.send_signal(signal.SIGSTOP)
    with pytest.raises(StateError, match=rf"is being trained by process {first.pid} on \S+ since") as refused:
        run_lock.hold(tmp_path).__enter__()
    assert "\n" not in str(refused.value)
    first.send_signal(signal.SIGCONT)
    first.communicate("\n", timeout=30)
    with run_lock.hold(tmp_path) as warning:
        assert warning == ""


def test_a_killed_owner_owns_nothing(tmp_path: Path) -> None:
    first = holder(tmp_path)
    first.kill()
    first.communicate(timeout=30)
    with run_lock.hold(tmp_path):
        assert f"process {os.getpid()} " in (tmp_path / "owner").read_text(encoding="utf-8")


def test_an_owner_removes_what_a_killed_one_left_unfinished(tmp_path: Path) -> None:
    first = holder(tmp_path)
    left = [tmp_path / f".state.safetensors.{first.pid}.partial", tmp_path / "samples" / f".a.png.{first.pid}.partial"]
    (tmp_path / "samples").mkdir()
    for path in left:
        path.touch()
    first.kill()
    first.communicate(timeout=30)
    with run_lock.hold(tmp_path):
        assert not any(path.exists() for path in left)


def test_a_file_system_without_locks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("training.run_lock.fcntl.flock", unsupported)
    with run_lock.hold(tmp_path) as warning:
        assert "has no locks; make sure that no other process trains this run" in warning
