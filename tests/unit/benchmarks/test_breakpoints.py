from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.reliability.breakpoints import Breakpoints
from benchmarks.reliability.service_under_test import wait_until


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


def test_an_armed_breakpoint_stops_the_first_and_no_other(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    breakpoints = Breakpoints(tmp_path / "breakpoints")
    breakpoints.arm("popped")
    first = threads.submit(breakpoints.wait_at, "popped")
    wait_until(lambda: breakpoints.is_reached("popped"))
    breakpoints.wait_at("popped")
    assert not first.done()
    breakpoints.release("popped")
    first.result(10)


def test_a_breakpoint_that_is_not_armed_stops_no_caller(tmp_path: Path) -> None:
    breakpoints = Breakpoints(tmp_path / "breakpoints")
    breakpoints.wait_at("popped")
    breakpoints.arm("popped")
    breakpoints.release("popped")
    breakpoints.wait_at("popped")
    assert not breakpoints.is_reached("popped")
