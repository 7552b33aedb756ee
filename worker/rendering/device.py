"""The device of a worker: its choice, its name, and its errors."""

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

import torch

from models.device_memory import is_out_of_memory
from worker.contracts.errors import SettingsError

R = TypeVar("R")
_cudnn_version: Callable[[], int | None] = torch.backends.cudnn.version
_NVIDIA_DEVICE = Path("/dev/nvidiactl")

log = logging.getLogger(__name__)


def choose_device(requested: Literal["auto", "cpu", "cuda"]) -> torch.device:
    """Return the requested device; "auto" prefers CUDA. Raises SettingsError when CUDA is requested but missing."""
    has_gpu = torch.cuda.is_available()
    if requested == "cuda" and not has_gpu:
        raise SettingsError(
            "IMAGEMILL_DEVICE is 'cuda', but PyTorch finds no GPU: check that nvidia-smi shows one and that its driver "
            "is new enough, or set the device to 'auto' or 'cpu'"
        )
    if requested == "auto" and not has_gpu and _NVIDIA_DEVICE.exists():
        log.warning("this machine has a GPU that PyTorch cannot use, so the CPU is used; see nvidia-smi")
    return torch.device(("cuda" if has_gpu else "cpu") if requested == "auto" else requested)


def device_name(device: torch.device) -> str:
    """Return a name for all devices that compute the same bits, for the name of the numerics.

    On a GPU, cuDNN chooses kernels by the chip and by its own version.
    """
    if device.type == "cpu":
        return "cpu"
    chip = re.sub(r"[^a-z0-9]+", "-", torch.cuda.get_device_name(device).lower()).strip("-")
    return f"cuda-{chip.removeprefix('nvidia-')}-cudnn{_cudnn_version()}"


def call_with_memory(work: Callable[[], R]) -> R:
    """Do some work, and do it again after device memory is freed if it did not fit.

    Raises torch.OutOfMemoryError if it does not fit then, whatever the library called it.
    """
    try:
        return work()
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
    # Outside of `except`: the error holds the frames of the failed work, and so its tensors.
    torch.cuda.empty_cache()
    try:
        return work()
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise torch.OutOfMemoryError(str(error)) from error
        raise


def is_usable(device: torch.device) -> bool:
    """Return whether a device can still compute. After some errors, CUDA is unusable until the process ends."""
    if device.type == "cpu":
        return True
    try:
        # Not the whole device: that fails while another thread records a graph, and spoils the recording.
        torch.cuda.current_stream(device).synchronize()
    except RuntimeError:  # AcceleratorError is one
        return False
    return True
