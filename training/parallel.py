"""Training on several devices: one process each, started by PyTorch's launcher, with gradients averaged by hand.

DistributedDataParallel does not average the gradients of gradients that penalties need.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True)
class ProcessRank:
    """The rank of this process, and the number of processes."""

    rank: int = 0
    world_size: int = 1

    @property
    def is_leader(self) -> bool:
        """Whether this process measures, decides, writes files and prints."""
        return self.rank == 0

    def broadcast_path(self, decide: Callable[[], Path]) -> Path:
        """Return the leader's path in every process."""
        message = [str(decide()) if self.is_leader else ""]
        if self.world_size > 1:
            dist.broadcast_object_list(message, 0)
        return Path(message[0])


ALONE = ProcessRank()

_PATIENCE = timedelta(hours=2)
"""Longest wait for the leader. Measuring a large dataset takes long."""


def is_launched() -> bool:
    """Return whether the launcher started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE") or 1) > 1


@contextmanager
def join(device: torch.device) -> Iterator[tuple[ProcessRank, torch.device]]:
    """Join the process group of the launcher. A process that was started alone has no group."""
    if not is_launched():
        yield ALONE, device
        return
    if device.type == "cuda":
        # NCCL needs a current device before the group exists.
        torch.cuda.set_device(device)
    # Gradients travel between GPUs. Decisions travel between CPUs, so that no step waits for its GPU.
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo", timeout=_PATIENCE)
    try:
        yield ProcessRank(dist.get_rank(), dist.get_world_size()), device
        # A process that leaves early would break the group for the others.
        dist.barrier()
    finally:
        dist.destroy_process_group()


def exit_process(process: ProcessRank, status: int = 0) -> None:
    """Exit at once after training with others, because Gloo can abort during the interpreter's shutdown."""
    if process.world_size > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def device_of_process(asked: str | None) -> str | None:
    """Return the device of this process: by default, each process of a machine has its own GPU."""
    # The launcher numbers the processes of one machine.
    rank = os.environ.get("LOCAL_RANK")
    any_gpu = asked == "cuda" or (asked is None and torch.cuda.is_available())
    return f"cuda:{rank}" if rank and any_gpu else asked


@torch.no_grad()
def average_gradients(network: nn.Module) -> None:
    """Replace every gradient by its mean over the processes, with one all-reduce."""
    if not dist.is_initialized():
        return
    gradients = [weights.grad for weights in network.parameters() if weights.grad is not None]
    # One message for all gradients: latency dominates with small tensors.
    whole = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(whole)
    whole /= dist.get_world_size()
    means = torch.split(whole, [gradient.numel() for gradient in gradients])
    for gradient, mean in zip(gradients, means, strict=True):
        gradient.copy_(mean.view_as(gradient))


def sum_over_processes(values: Tensor) -> Tensor:
    """Return the sum of a tensor over all processes."""
    if dist.is_initialized():
        dist.all_reduce(values)
    return values


def from_leader(value: float) -> float:
    """Return the leader's value in every process."""
    if not dist.is_initialized():
        return value
    message = torch.tensor([value], dtype=torch.float64)
    dist.broadcast(message, 0)
    return float(message.item())


def minimum(value: float) -> float:
    """Return the smallest value of all processes."""
    if not dist.is_initialized():
        return value
    message = torch.tensor([value], dtype=torch.float64)
    dist.all_reduce(message, dist.ReduceOp.MIN)
    return float(message.item())
