"""`python -m benchmarks.scaling.worker [IMAGES_PER_S]`: a worker whose model and encoder are simulated."""

import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from uuid import uuid4

import torch

from benchmarks.scaling.simulated import NUMERICS, SimulatedRuntime
from worker.contracts.artifacts import Artifacts
from worker.contracts.line import Line
from worker.contracts.queue import connect
from worker.pulse import Pulse
from worker.settings import WorkerSettings
from worker.tasks import Tasks
from worker.warm import WarmWorker

_REDIS_TIMEOUT_SECONDS = 20
_THREADS = 2
"""That hash while the next batch is waited for."""


def run(settings: WorkerSettings, images_per_s: float | None) -> None:
    """Work until SIGTERM, put together as worker.main does."""
    torch.set_num_threads(1)
    runtime = SimulatedRuntime(images_per_s, settings.threads or _THREADS)
    redis, stopping = connect(settings.redis_url, _REDIS_TIMEOUT_SECONDS), Event()
    name = f"{socket.gethostname()}-{uuid4().hex}"
    pulse = Pulse(redis, name, str(runtime.device), NUMERICS, runtime.entries)
    with (
        ThreadPoolExecutor(runtime.threads, "render") as threads,
        ThreadPoolExecutor(1, "settle") as settling,
        ThreadPoolExecutor(1, "store") as storing,
    ):
        artifacts, line = Artifacts(settings.store), Line(redis)
        tasks = Tasks(artifacts, runtime, pulse, line, threads, storing, settling, stopping, runtime.encode)
        WarmWorker(redis, name, tasks, pulse, stopping).work(logging_level=None)


if __name__ == "__main__":
    run(WorkerSettings(), float(sys.argv[1]) if len(sys.argv) > 1 else None)
