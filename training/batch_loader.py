"""Batches of a dataset, in an order that is a pure function of the seed and the step."""

import os
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from training.dataset.dataset_files import Dataset
from training.dataset.order import Balanced, Order, Shuffled
from training.errors import RecipeError

Batch = tuple[Tensor, Tensor | None]
_CPU = torch.device("cpu")


class BatchLoader:
    """A dataset dealt out in shuffled epochs without the rest below a batch; every process takes its slice of a batch.

    It is resident on the device where it fits; else the next batch is gathered while a step is computed.
    """

    def __init__(
        self,
        dataset: Dataset,
        batch: int,
        seed: int,
        device: torch.device,
        balance: float = 0.0,
        rank: int = 0,
        world_size: int = 1,
        resident: bool | None = None,
    ) -> None:
        """`batch` is that of all processes together; `resident` overrides what the free memory says.

        Raises RecipeError when the batch or the balance does not fit the data or the number of processes.
        """
        count = len(dataset.images)
        self.batch = _batch_of(count, batch, world_size)
        self.local = self.batch // world_size
        self.steps_per_epoch = count // self.batch
        self.resident = _fits(dataset.images.nbytes, device) if resident is None else resident
        self._device, self._home = device, device if self.resident else _CPU
        self._first = rank * self.local
        self._images = dataset.images.to(self._home)
        self._labels = dataset.labels.to(self._home) if dataset.description.classes else None
        self._order = order_of(dataset, balance, self.steps_per_epoch * self.batch, seed)
        self._epoch, self._dealt = -1, torch.empty(0)
        self._reader = ThreadPoolExecutor(1, "feed")
        self._ahead: tuple[int, Future[Batch]] | None = None

    def at(self, step: int) -> Batch:
        """Return this process's slice of a step's batch. Shapes: (local, 3, r, r) uint8, labels (local,) or None."""
        if self.resident:
            return _gathered(self._images, self._labels, self._chosen(step))
        images, labels = self._read(step)
        there = images.to(self._device, non_blocking=True)
        return there, None if labels is None else labels.to(self._device, non_blocking=True)

    def _read(self, step: int) -> Batch:
        ready = self._ahead if self._ahead and self._ahead[0] == step else (step, self._submitted(step))
        self._ahead = (step + 1, self._submitted(step + 1))
        return ready[1].result()

    def _submitted(self, step: int) -> Future[Batch]:
        pinned = self._device.type == "cuda"
        return self._reader.submit(_gathered, self._images, self._labels, self._chosen(step), pinned)

    def _chosen(self, step: int) -> Tensor:
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._dealt = epoch, torch.from_numpy(self._order.epoch(epoch)).to(self._home)
        first = place * self.batch + self._first
        return self._dealt[first : first + self.local]


def _gathered(images: Tensor, labels: Tensor | None, chosen: Tensor, pinned: bool = False) -> Batch:
    taken = [_rows(whole, chosen) for whole in (images, labels) if whole is not None]
    batch = [tensor.pin_memory() for tensor in taken] if pinned else taken
    return batch[0], None if labels is None else batch[1]


def _rows(whole: Tensor, chosen: Tensor) -> Tensor:
    # On a CPU, NumPy copies on this thread alone; PyTorch would wake its team for it, and wait for the slowest.
    return torch.from_numpy(whole.numpy()[chosen.numpy()]) if whole.device.type == "cpu" else whole[chosen]


def _batch_of(count: int, batch: int, world_size: int) -> int:
    if batch % world_size:
        raise RecipeError(f"a batch of {batch} does not divide among {world_size} processes")
    if count < world_size:
        raise RecipeError(f"{count} images are too few for {world_size} processes")
    return min(batch, count // world_size * world_size)


def order_of(dataset: Dataset, balance: float, draws: int, seed: int) -> Order:
    """Choose the order of a dataset, balanced or not. Raises RecipeError when the balance does not fit the classes."""
    classes = len(dataset.description.classes)
    if not balance:
        return Shuffled(len(dataset.images), seed)
    if not classes:
        raise RecipeError(f"balance {balance:g} wants classes, and this dataset has none")
    if classes > draws:
        raise RecipeError(f"balance {balance:g} wants an image of each of {classes} classes in the {draws} of an epoch")
    return Balanced(dataset.labels.numpy(), balance, draws, seed)


def _fits(size_bytes: int, device: torch.device) -> bool:
    """Leave half of the memory to the networks. On a CPU, what fits is read in place, from the page cache."""
    return size_bytes <= memory_bytes(device) // 2


def memory_bytes(device: torch.device) -> int:
    """Tell how much memory a dataset could share: what is free on a GPU, what a CPU has in all."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
