"""Spreads worker processes over the GPUs of this machine."""

import os
from collections.abc import Sequence
from pathlib import Path

_DRIVER_FOLDER = Path("/proc/driver/nvidia/gpus")
"""The driver lists each GPU here. The API's packages have no CUDA library that could count them."""
_VARIABLE = "CUDA_VISIBLE_DEVICES"


def visible_gpus(driver_folder: Path = _DRIVER_FOLDER) -> list[str]:
    """Return the GPUs that workers may use: those of CUDA_VISIBLE_DEVICES if it is set, otherwise all."""
    chosen = os.environ.get(_VARIABLE)
    if chosen is not None:
        return [each.strip() for each in chosen.split(",") if each.strip()]
    try:
        return [str(number) for number, _ in enumerate(driver_folder.iterdir())]
    except OSError:
        return []


def gpu_of_worker(gpus: Sequence[str], worker: int) -> dict[str, str]:
    """Return the environment that gives a worker one of several GPUs, in turn; empty with one GPU or none."""
    return {_VARIABLE: gpus[worker % len(gpus)]} if len(gpus) > 1 else {}
