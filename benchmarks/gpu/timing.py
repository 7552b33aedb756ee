"""Times work on a device, which goes on after the calls that launch it have returned."""

import statistics
import time
from collections.abc import Callable

import torch

_ROUNDS = 5
_WARM_UP_CALLS = 2


def wait(device: torch.device) -> None:
    """Wait until the device has finished its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds_per_call(work: Callable[[], object], device: torch.device, seconds: float) -> float:
    """Return the median of five rounds, which together last about `seconds`, after two warm-up calls."""
    for _ in range(_WARM_UP_CALLS):
        work()
    calls = max(1, int(seconds / _ROUNDS / max(1e-6, _round(work, device, 1))))
    return statistics.median(_round(work, device, calls) for _ in range(_ROUNDS))


def _round(work: Callable[[], object], device: torch.device, calls: int) -> float:
    wait(device)
    began = time.perf_counter()
    for _ in range(calls):
        work()
    wait(device)
    return (time.perf_counter() - began) / calls
