"""`python -m benchmarks.scaling.fleet_worker COUNT IMAGES_PER_S`: simulated workers, whose processes share torch.

All of a worker's code runs but the model and the encoder. The processes are forked after torch is loaded, so that
many of them fit into the memory of one machine.
"""

import os
import signal
import sys
from collections.abc import Sequence

import torch

from benchmarks.scaling.simulated import SimulatedRuntime
from worker.main import work
from worker.settings import WorkerSettings


def main(count: int, images_per_s: float) -> None:
    """Run workers until SIGTERM."""
    pids = [_fork(images_per_s) for _ in range(count)]
    signal.signal(signal.SIGTERM, lambda *_: _stop(pids))
    for pid in pids:
        os.waitpid(pid, 0)


def _fork(images_per_s: float) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            torch.set_num_threads(1)
            # Only here, because a process that has computed has threads, and cannot be forked safely.
            runtime = SimulatedRuntime(images_per_s, 1)
            work(WorkerSettings(), runtime, runtime.encode)
        finally:
            os._exit(0)
    return pid


def _stop(pids: Sequence[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGTERM)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
