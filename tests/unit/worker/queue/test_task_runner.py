"""What the thread that stores shards does when the device is lost. Everything else is tested with a real worker."""

from threading import Event, Semaphore
from unittest.mock import MagicMock

import pytest
import torch

from worker.contracts.queue.tasks import Task
from worker.queue import task_runner as module
from worker.queue.task_runner import TaskRunner

JOB_ID = "a" * 22


def runner_on_gpu() -> TaskRunner:
    return TaskRunner(
        store=MagicMock(),
        engine=MagicMock(device=torch.device("cuda")),
        heartbeat=MagicMock(),
        task_queue=MagicMock(),
        shard_renderer=MagicMock(),
        finisher=MagicMock(),
        storing_thread=MagicMock(),
        asking_threads=MagicMock(),
        stopping=Event(),
        watchdog=MagicMock(),
        store_check=MagicMock(),
        offers=frozenset(),
        storing_slot=Semaphore(0),
    )


@pytest.mark.parametrize(("is_usable", "ends"), [(True, False), (False, True)])
def test_a_lost_device_ends_the_process_in_the_storing_thread_too(
    is_usable: bool, ends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[bool] = []
    monkeypatch.setattr(module, "is_usable", lambda _: is_usable)
    monkeypatch.setattr(module, "end_process", lambda: ended.append(True))
    monkeypatch.setattr(module, "layout_of", MagicMock(side_effect=RuntimeError("some library's name of the error")))
    runner, spec = runner_on_gpu(), MagicMock(id=JOB_ID)
    runner._store_in_background(Task.render_shard(JOB_ID, 0), 0, spec, [])
    assert bool(ended) == ends
    assert runner.storing_slot.acquire(timeout=1)
