"""Faults: a worker that is killed in a job, and a GPU whose memory another process holds."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from benchmarks.gpu.results import Results
from benchmarks.gpu.section import Deadline, Options
from benchmarks.gpu.started_service import StartedService, digest, start_service

_SEED = 3
_LEAST_SECONDS = 25
_FREE_MB = (400, 50)
"""Free memory that another process leaves, during a job."""
_KILLED_AT = 0.3
"""Share of an undisturbed job's time after which a worker is killed."""
_HOLD = """
import sys, time, torch
free = torch.cuda.mem_get_info()[0] - int(sys.argv[1]) * 2**20
held = torch.zeros(max(1, free), dtype=torch.uint8, device="cuda")
torch.cuda.synchronize()
print("held", flush=True)
time.sleep(60)
"""
_LESS_MEMORY = """
import torch
from models import registry
from worker.rendering.engine import RenderEngine
torch.backends.cudnn.deterministic = True
engine = RenderEngine([registry.find("faces-64")], torch.device("cuda"), 1)
model = engine.model(engine.entries[0])
block = range(model.batch_size)
z, labels = model.latents(0, block), model.labels(block)
expected = model.render(z, labels)
peak = torch.cuda.max_memory_reserved() / torch.cuda.get_device_properties(0).total_memory
for share in (1.0, 0.8, 0.6, 0.4, 0.2):
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(share * peak)
    try:
        found = "same bytes" if torch.equal(model.render(z, labels), expected) else "OTHER BYTES"
    except RuntimeError as error:
        found = f"{type(error).__name__}: {str(error).splitlines()[0][:80]}"
    print(share, found, flush=True)
"""


def measure(options: Options, results: Results, deadline: Deadline) -> None:
    """Disturb jobs, and compare their images with those of an undisturbed job. The shortest check is first."""
    n = options.pick(1000, 30_000)
    with start_service(options, results, 2) as service:
        answer = service.archive(n=n, seed=_SEED)
        expected = digest(answer.archive)
        results.add("an undisturbed job", expected, n=n, seconds=round(answer.last_s, 3))
        if options.device.type == "cuda":
            for free_mb in _FREE_MB:
                with results.attempt("same bytes beside a full GPU", free_mb=free_mb), _full_gpu(free_mb):
                    _repeat(service, n, expected, "same bytes beside a full GPU", results, free_mb=free_mb)
        with results.attempt("same bytes after SIGKILL of a worker"):
            _kill(service, n, expected, answer.last_s, results)
    if options.device.type == "cuda" and deadline.left() > _LEAST_SECONDS:
        with results.attempt("renders with less and less memory"):
            done = subprocess.run([sys.executable, "-c", _LESS_MEMORY], capture_output=True, text=True, timeout=40)
            results.add("renders with less and less memory", [*done.stdout.splitlines(), done.stderr[-300:]])


def _repeat(service: StartedService, n: int, expected: str, what: str, results: Results, **details: object) -> None:
    answer = service.archive(n=n, seed=_SEED)
    results.add(what, digest(answer.archive) == expected, seconds=round(answer.last_s, 3), **details)


def _kill(service: StartedService, n: int, expected: str, seconds: float, results: Results) -> None:
    with ThreadPoolExecutor(1) as thread:
        began = time.perf_counter()
        job = thread.submit(_repeat, service, n, expected, "same bytes after SIGKILL of a worker", results)
        time.sleep(_KILLED_AT * seconds)
        victim = service.processes.forget_worker()
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
        killed_s = round(time.perf_counter() - began, 3)
        results.add("a worker was killed, s after the request", killed_s, job_was_over=job.done())
        job.result()


@contextmanager
def _full_gpu(free_mb: int) -> Iterator[None]:
    """Hold all free memory of the GPU but a rest."""
    command = [sys.executable, "-c", _HOLD, str(free_mb)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()
