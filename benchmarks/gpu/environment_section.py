"""The machine: its versions, and the speed of its memory, products, launches, copies and disk."""

import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.gpu.results import Results
from benchmarks.gpu.section import Deadline, Options
from benchmarks.gpu.timing import seconds_per_call, wait
from benchmarks.service import machine

_QUERY = "name,driver_version,memory.total,memory.used,clocks.sm,clocks.mem,temperature.gpu,power.draw,compute_mode"
_LAUNCHES = 500
_SIDE = 8192
_WRITES = 20
_cudnn_version: Callable[[], int | None] = torch.backends.cudnn.version


def measure(options: Options, results: Results, deadline: Deadline) -> None:
    """Measure the machine in about ten seconds."""
    del deadline
    device, seconds = options.device, options.pick(0.05, 0.5)
    versions = {"python": platform.python_version(), "torch": torch.__version__, "cuda": torch.version.cuda}
    results.add("machine", machine.device(), **versions, cudnn=_cudnn_version())

    def rate(what: str, amount: float, work: Callable[[], object]) -> None:
        with results.attempt(what):
            results.add(what, round(amount / seconds_per_call(work, device, seconds), 3))

    if device.type == "cuda":
        _measure_gpu(device, results, rate)
    small = torch.zeros(8, device=device)
    rate("launches/ms", _LAUNCHES / 1e3, lambda: [small.add_(1) for _ in range(_LAUNCHES)])
    rate("launches that wait/ms", _LAUNCHES / 1e3, lambda: [float(small.add_(1)[0]) for _ in range(_LAUNCHES)])
    batch = torch.zeros(256, 3, 64, 64, dtype=torch.uint8, device=device)
    rate("copy to the host, GB/s", batch.nbytes / 1e9, batch.cpu)
    with results.attempt("fsync of 1 MB, ms"):
        results.add("fsync of 1 MB, ms", _fsync_ms())


def _measure_gpu(
    device: torch.device, results: Results, rate: Callable[[str, float, Callable[[], object]], None]
) -> None:
    with results.attempt("nvidia-smi"):
        command = ["nvidia-smi", f"--query-gpu={_QUERY}", "--format=csv,noheader"]
        found = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
        results.add("nvidia-smi", found.stdout.strip())
    results.add("compute capability", torch.cuda.get_device_capability(device), free=torch.cuda.mem_get_info(device)[0])
    source = torch.zeros(1 << 28, device=device)
    target = torch.empty_like(source)
    rate("device copy, TB/s", 2 * source.nbytes / 1e12, lambda: target.copy_(source))
    first, second = (torch.randn(_SIDE, _SIDE, device=device, dtype=torch.bfloat16) for _ in range(2))
    rate("bfloat16 product, TFLOP/s", 2 * _SIDE**3 / 1e12, lambda: first @ second)
    images = torch.zeros(256, 3, 64, 64, dtype=torch.uint8, device=device)
    pinned = torch.empty(images.shape, dtype=torch.uint8, pin_memory=True)

    def copy() -> None:
        pinned.copy_(images, non_blocking=True)
        wait(device)

    rate("copy to pinned memory of the host, GB/s", images.nbytes / 1e9, copy)


def _fsync_ms() -> float:
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "file").open("wb") as file:
        began = time.perf_counter()
        for _ in range(_WRITES):
            file.write(bytes(1_000_000))
            file.flush()
            os.fsync(file.fileno())
        return round(1e3 * (time.perf_counter() - began) / _WRITES, 2)
