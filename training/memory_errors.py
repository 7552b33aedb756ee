"""Explains errors of a device that ran out of memory, or that failed, in one sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from models.device_memory import is_out_of_memory
from training.errors import DeviceError
from training.run_plan import STATE, RunPlan

_HOST_MEMORY = "can't allocate memory"
"""Part of the message of PyTorch's allocator on a CPU when memory is short."""


@contextmanager
def explain_device_errors(plan: RunPlan, folder: Path | None) -> Iterator[None]:
    """Raise DeviceError in place of a device's error, and say how to continue the run in `folder`."""
    try:
        yield
    except RuntimeError as error:
        if not _is_out_of_memory(error) and not isinstance(error, torch.AcceleratorError):
            raise
        raise DeviceError(f"{_reason(plan, error)}. {_way_out(plan, folder)}") from error


def _is_out_of_memory(error: RuntimeError) -> bool:
    """Return whether a device, or the machine, ran out of memory."""
    return is_out_of_memory(error) or _HOST_MEMORY in str(error)


def _reason(plan: RunPlan, error: RuntimeError) -> str:
    if _is_out_of_memory(error):
        return f"{plan.device} ran out of memory with batches of {plan.recipe.batch} images"
    return f"{plan.device} failed ({str(error).splitlines()[0]})"


def _way_out(plan: RunPlan, folder: Path | None) -> str:
    smaller = f"imagemill train {plan.data} --set batch={max(2, plan.recipe.batch // 2)}"
    if folder is None or not (folder / STATE).exists():
        return f"Free memory, or take smaller batches: {smaller}"
    resume = f"imagemill train {plan.data} --resume {folder}"
    return (
        f"The state that was saved before is complete. Free memory and continue: {resume}; "
        f"or take smaller batches: {smaller} --from {folder}"
    )
