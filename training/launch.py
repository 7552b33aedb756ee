"""Starts one training process for each device of this machine, with PyTorch's launcher."""

import logging
import os
import sys

import torch
from torch.distributed.elastic.multiprocessing import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from imagemill.start import command
from training.errors import DeviceError

_STOPPED = 130
_SAVE_SECONDS = 600
"""Time that a stopped process has to save its state before it is killed."""


def check(devices: int, device: str | None) -> None:
    """Raise DeviceError when the machine has too few devices. A CPU runs any number of processes."""
    kind, _, number = (device or ("cuda" if torch.cuda.is_available() else "cpu")).partition(":")
    if number:
        raise DeviceError(f"--devices {devices}: --device {device} names one device; leave it out, or give {kind}")
    if kind != "cpu" and devices > torch.cuda.device_count():
        raise DeviceError(f"--devices {devices}: this machine has {torch.cuda.device_count()} GPUs")


def launch(devices: int, arguments: list[str]) -> int:
    """Run a command once per device and wait for all. Returns the exit status."""
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # the processes say what was wrong
    os.environ["OMP_NUM_THREADS"] = os.environ.get("OMP_NUM_THREADS") or str(max(1, (os.cpu_count() or 1) // devices))
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=devices,
        run_id=str(os.getpid()),
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
        local_addr="127.0.0.1",
        # A restarted process could not join the others at the right step.
        max_restarts=0,
        shutdown_timeout=_SAVE_SECONDS,
    )
    # The first word is the interpreter, which the launcher adds itself.
    _, *line = command(*arguments)
    try:
        elastic_launch(config, sys.executable)(*line)
    except SignalException:
        return _STOPPED
    except ChildFailedError as error:
        status = error.get_first_failure()[1].exitcode
        return status if status > 0 else 128 - status  # minus the number of a signal
    return 0
