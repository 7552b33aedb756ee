import sys
import time
from collections.abc import Callable

import pytest

from app.local.managed_process import ManagedProcess


def python(code: str, *, is_quiet: bool) -> ManagedProcess:
    return ManagedProcess("child", [sys.executable, "-Sc", code], {}, is_quiet=is_quiet)


def supervise(child: ManagedProcess, until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not until():
        assert time.monotonic() < deadline
        child.restart_if_dead()
        time.sleep(0.01)


@pytest.mark.parametrize("is_quiet", [False, True])
def test_a_child_that_dies_is_started_again_and_its_last_line_is_known(
    is_quiet: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    child = python(r"import sys; sys.stderr.write('first\nlast one\n\n'); sys.exit(3)", is_quiet=is_quiet)
    child.start()
    supervise(child, lambda: child.crashes == 2)
    assert child.status == 3
    assert child.last_line() == "last one"
    assert capfd.readouterr().err.count("last one") == (0 if is_quiet else 2)


def test_a_child_that_writes_much_is_not_held_up() -> None:
    child = python("print('x' * 1_000_000, flush=True)", is_quiet=True)
    child.start()
    supervise(child, lambda: child.crashes == 1)
    assert child.status == 0
    assert len(child.last_line()) == 500


def test_a_command_that_is_not_there_raises() -> None:
    with pytest.raises(FileNotFoundError):
        ManagedProcess("child", ["/nowhere/queue"], {}).start()
