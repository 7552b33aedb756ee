"""Where the private queue server listens, whatever the data folder is called."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from redis import Redis

from app.local.supervisor import LocalService, LocalServiceError, queue_command
from tests.odd_names import ODD_NAMES
from tests.unit.conftest import MakeSpec
from worker.contracts.queue import redis_url
from worker.contracts.queue.connection import connect
from worker.queue.heartbeat import Heartbeat
from worker.queue.rq_worker import RqWorker


def socket_of(data: Path) -> Path:
    """Make a stack that is not started. Returns where its queue server would listen."""
    made = LocalService(data, "127.0.0.1", 0, 1, "warning")
    path = Path(connect(made.queue_url, 1).connection_pool.connection_kwargs["path"])
    made._socket.close()
    return path


@contextmanager
def queue_at(path: Path) -> Iterator[Redis]:
    with subprocess.Popen(queue_command(path), stdout=subprocess.DEVNULL) as server:
        try:
            while not path.exists():
                assert server.poll() is None
            with connect(redis_url.of_socket(path), 5) as redis:
                yield redis
        finally:
            server.kill()


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_worker_finds_the_queue_whatever_the_data_folder_is_called(name: str, make_spec: MakeSpec) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as short, queue_at(socket_of(Path(short) / name)) as redis:
        heartbeat = Heartbeat(redis, "worker", "cpu", make_spec().model.numerics, [])
        assert RqWorker(redis, "worker", cast("Any", None), heartbeat, cast("Any", None)).name == "worker"
        assert redis.ping()


@pytest.mark.parametrize("name", ["t" * 120, "with space", "a#b?c%41"])
def test_the_socket_is_short_whatever_the_temporary_folder_is_called(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    path = socket_of(tmp_path / ("x" * 120))
    assert len(os.fsencode(path)) <= 100
    with queue_at(path) as redis:
        assert redis.ping()
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_without_a_short_folder_the_reason_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.local.supervisor._SHORT_FOLDERS", ())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("t" * 120)))
    with pytest.raises(LocalServiceError, match="let TMPDIR name a short folder"):
        LocalService(tmp_path / ("x" * 120), "127.0.0.1", 0, 1, "warning")
