"""Training on several devices: one process each, started by PyTorch's launcher, gradients averaged by hand.

By hand because DistributedDataParallel does not average the gradients of gradients that penalties need.
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
    """Which of how many processes this is."""

    rank: int = 0
    world_size: int = 1

    @property
    def is_leader(self) -> bool:
        """Whether this is the process that measures, decides, writes and talks."""
        return self.rank == 0

    def broadcast_path(self, decide: Callable[[], Path]) -> Path:
        """Let the leader decide on a path, and tell the others."""
        message = [str(decide()) if self.is_leader else ""]
        if self.world_size > 1:
            dist.broadcast_object_list(message, 0)
        return Path(message[0])


ALONE = ProcessRank()

_PATIENCE = timedelta(hours=2)
"""How long the others wait for the leader, who may have a large dataset to measure."""


def is_launched() -> bool:
    """Tell whether the launcher has started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE") or 1) > 1


@contextmanager
def join(device: torch.device) -> Iterator[tuple[ProcessRank, torch.device]]:
    """Join the processes that the launcher started, each with a device of its own; alone, there is nothing to join."""
    if not is_launched():
        yield ALONE, device
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_PATIENCE)
    try:
        yield ProcessRank(dist.get_rank(), dist.get_world_size()), device
        dist.barrier()
    finally:
        dist.destroy_process_group()


def exit_process(process: ProcessRank, status: int = 0) -> None:
    """End a process that has joined others: at once, as Gloo can abort one while the interpreter is torn down."""
    if process.world_size > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def device_of_process(asked: str | None) -> str | None:
    """Name the device of this process: each of those on a machine has a GPU of its own, unless one is asked for."""
    rank = os.environ.get("LOCAL_RANK")
    any_gpu = asked == "cuda" or (asked is None and torch.cuda.is_available())
    return f"cuda:{rank}" if rank and any_gpu else asked


@torch.no_grad()
def average_gradients(network: nn.Module) -> None:
    """Replace every gradient by its mean over the processes, in one message."""
    if not dist.is_initialized():
        return
    gradients = [weights.grad for weights in network.parameters() if weights.grad is not None]
    whole = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(whole)
    whole /= dist.get_world_size()
    means = torch.split(whole, [gradient.numel() for gradient in gradients])
    for gradient, mean in zip(gradients, means, strict=True):
        gradient.copy_(mean.view_as(gradient))


def sum_over_processes(values: Tensor) -> Tensor:
    """Add up a tensor over the processes."""
    if dist.is_initialized():
        dist.all_reduce(values)
    return values


def from_leader(value: float) -> float:
    """Tell every process what the leader says."""
    if not dist.is_initialized():
        return value
    message = _message(value)
    dist.broadcast(message, 0)
    return float(message.item())


def minimum(value: float) -> float:
    """Tell every process the least value of any."""
    if not dist.is_initialized():
        return value
    message = _message(value)
    dist.all_reduce(message, dist.ReduceOp.MIN)
    return float(message.item())


def _message(value: float) -> Tensor:
    device = torch.device("cuda", torch.cuda.current_device()) if dist.get_backend() == "nccl" else None
    return torch.tensor([value], dtype=torch.float64, device=device)
