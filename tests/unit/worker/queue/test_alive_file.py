import os
import time
from pathlib import Path

import pytest

from worker.queue.alive_file import AliveFile, is_fresh


def test_a_worker_is_alive_while_it_touches_its_file(tmp_path: Path) -> None:
    path = tmp_path / "alive"
    assert not is_fresh(path)
    AliveFile(path).touch()
    assert is_fresh(path)
    for seconds in (-60, 60):  # a hung worker; one that hung before the clock was set back
        os.utime(path, (time.time() + seconds,) * 2)
        assert not is_fresh(path)


def test_a_heartbeat_file_that_cannot_be_written_ends_no_work(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    alive_file = AliveFile(tmp_path / "nowhere" / "alive")
    alive_file.touch()
    alive_file.touch()
    assert caplog.text.count("was not written") == 1
