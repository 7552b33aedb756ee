"""Runs commands of `imagemill` with a time limit."""

import signal
import subprocess
import time

from benchmarks.gpu.results import Results
from imagemill.start import command

_STOP_SECONDS = 20
_SHOWN_LETTERS = 2000


def run_command(results: Results, seconds: float, *arguments: str) -> None:
    """Run a command. After its limit it is stopped as by Ctrl-C, and may save its state."""
    began = time.perf_counter()
    with subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            said, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            try:
                said, _ = process.communicate(timeout=_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                said, _ = process.communicate()
    took = round(time.perf_counter() - began, 1)
    results.add(f"imagemill {arguments[0]}", process.returncode, seconds=took, said=said[-_SHOWN_LETTERS:])
