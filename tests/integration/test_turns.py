from threading import Event
from typing import Any, cast

import pytest

from tests.integration.house import House
from worker.contracts.catalog import Numerics
from worker.pulse import Pulse
from worker.tasks import Tasks
from worker.warm import WarmWorker


def test_short_jobs_go_first_but_cannot_starve_long_ones(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    pulse = Pulse(house.redis, "w", "cpu", Numerics(name="cpu-float32", batch_size=16), [])
    worker = WarmWorker(house.redis, "w", cast(Tasks, None), pulse, Event())
    now = 100.0
    monkeypatch.setattr("worker.warm.time.monotonic", lambda: now)
    short, long = worker.queues
    first: list[Any] = []
    for taken, seconds in ((long, 0), (short, 4), (short, 1.5), (long, 1), (short, 1)):
        now += seconds
        worker.reorder_queues(taken)
        first.append(worker._ordered_queues[0])
    assert first == [short, short, long, short, short]
