"""A real process, which is really stopped."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

COUNTER = """
import sys, time
from training.running_time import RunningTime
running = RunningTime()
with running.sampling():
    print(flush=True)
    {work}
print(running.seconds())
"""
STOPPED_SECONDS = 4.0


def counted(work: str, stops: int) -> float:
    """Run `work` in a process that is stopped for four seconds in all; tell what it counts."""
    command = [sys.executable, "-c", COUNTER.format(work=work)]
    process = subprocess.Popen(
        command, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    assert process.stdout
    process.stdout.readline()
    for _ in range(stops):
        time.sleep(0.3)
        process.send_signal(signal.SIGSTOP)
        time.sleep(STOPPED_SECONDS / stops)
        process.send_signal(signal.SIGCONT)
    output, _ = process.communicate("go\n", timeout=60)
    return float(output)


def test_seconds_of_a_stopped_process_do_not_count() -> None:
    assert counted("sys.stdin.readline()", stops=1) < STOPPED_SECONDS / 2


def test_several_short_stops_do_not_count_either() -> None:
    assert counted("sys.stdin.readline()", stops=2) < STOPPED_SECONDS * 0.75


def test_work_that_asks_for_no_time_counts_in_full() -> None:
    assert counted("time.sleep(3)", stops=0) > 2.5
