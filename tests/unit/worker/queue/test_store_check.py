import logging
import shutil
import time
from pathlib import Path

import pytest

from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import StoreError
from worker.queue.store_check import StoreCheck

ERROR = StoreError("PUT of a shard: no", "no")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def check(store: Path) -> StoreCheck:
    store.mkdir()
    return StoreCheck(Store(str(store)))


def test_a_worker_takes_no_tasks_before_it_has_tried_the_store(check: StoreCheck) -> None:
    assert check.pause_reason is not None
    assert check.check() is None


def test_a_task_that_is_dropped_for_its_own_sake_pauses_no_worker(check: StoreCheck) -> None:
    assert [check.record_drop(ERROR) for _ in range(2)] == [False, False]
    check.record_success()
    assert [check.record_drop(ERROR) for _ in range(2)] == [False, False]


def test_tasks_that_are_dropped_in_a_row_pause_a_worker(check: StoreCheck) -> None:
    assert [check.record_drop(ERROR) for _ in range(3)] == [False, False, True]
    assert "no" in str(check.check())


def test_a_store_that_is_gone_pauses_the_worker_until_it_is_back(
    check: StoreCheck, store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert check.check() is None
    shutil.rmtree(store)
    assert check.record_drop(ERROR)
    assert [check.check() for _ in range(5)] == ["its folder is gone"] * 5
    store.mkdir()
    assert check.check() is None
    assert [record.message for record in caplog.records] == [
        "worker takes no tasks, because it cannot use the store",
        "worker takes tasks again",
    ]


def test_pauses_that_follow_each_other_double_and_log_one_line_a_minute(
    check: StoreCheck, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    check.check()
    now, pauses = 1000.0, []
    monkeypatch.setattr(time, "monotonic", lambda: now)
    for _ in range(2):
        check.record_drop(ERROR)
    for _ in range(6):
        check.record_drop(ERROR)
        began = now
        while check.check():
            now += 1
        pauses.append(now - began)
    assert pauses == [3, 6, 12, 24, 48, 60]
    check.record_success()
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]


def test_a_stored_shard_ends_a_pause(check: StoreCheck) -> None:
    for _ in range(9):
        check.record_drop(ERROR)
    check.record_success()
    assert check.check() is None


def test_a_disk_with_less_space_than_a_shard_pauses_the_worker(check: StoreCheck) -> None:
    assert check.check() is None
    check.needed_bytes = 1 << 60
    assert check.record_drop(ERROR)
    assert check.pause_reason == "No space left on device"
