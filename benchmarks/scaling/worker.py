"""`python -m benchmarks.scaling.worker [IMAGES_PER_S]`: a worker whose model and encoder are simulated."""

import sys

import torch

from benchmarks.scaling.simulated import SimulatedRuntime
from worker.main import work
from worker.settings import WorkerSettings

_THREADS = 2
"""Number of threads that hash while the next batch is rendered."""

if __name__ == "__main__":
    torch.set_num_threads(1)
    settings = WorkerSettings()
    runtime = SimulatedRuntime(float(sys.argv[1]) if len(sys.argv) > 1 else None, settings.threads or _THREADS)
    work(settings, runtime, runtime.encode)
