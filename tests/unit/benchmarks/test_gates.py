from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.reliability.gates import Gates
from benchmarks.reliability.ward import until


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


def test_an_armed_gate_holds_the_first_and_no_other(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    gates = Gates(tmp_path / "gates")
    gates.arm("popped")
    first = threads.submit(gates.pass_through, "popped")
    until(lambda: gates.is_reached("popped"))
    gates.pass_through("popped")
    assert not first.done()
    gates.open("popped")
    first.result(10)


def test_a_gate_that_is_not_armed_holds_nobody(tmp_path: Path) -> None:
    gates = Gates(tmp_path / "gates")
    gates.pass_through("popped")
    gates.arm("popped")
    gates.open("popped")
    gates.pass_through("popped")
    assert not gates.is_reached("popped")
