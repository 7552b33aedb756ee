"""Loads batches of a dataset. The order is a pure function of the seed and the step."""

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
    """Loads shuffled batches; every process loads its own slice of each batch.

    Images that do not fill a whole batch at the end of an epoch are left out. A dataset that fits is kept on the
    device; otherwise the next batch is prefetched while a step runs.
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
        """`batch` counts the images of all processes. `resident` overrides the check of the free memory.

        Raises RecipeError when the batch or the balance does not fit the data or the number of processes.
        """
        count = len(dataset.images)
        self.batch = _batch_size(count, batch, world_size)
        self.local_batch = self.batch // world_size
        self.steps_per_epoch = count // self.batch
        self.resident = _fits_in_memory(dataset.images.nbytes, device) if resident is None else resident
        self._device, self._storage_device = device, device if self.resident else _CPU
        self._rank_offset = rank * self.local_batch
        self._images = dataset.images.to(self._storage_device)
        self._labels = dataset.labels.to(self._storage_device) if dataset.description.classes else None
        self._order = choose_order(dataset, balance, self.steps_per_epoch * self.batch, seed)
        self._epoch, self._epoch_indices = -1, torch.empty(0)
        # One thread is enough: it prepares one batch while the device computes a step.
        self._reader = ThreadPoolExecutor(1, "feed", initializer=_use_device, initargs=(device,))
        self._prefetched: tuple[int, Future[Batch]] | None = None

    def load(self, step: int) -> Batch:
        """Return this process's slice of a step's batch. Shapes: (local, 3, r, r) uint8, labels (local,) or None."""
        if self.resident:
            return _gather(self._images, self._labels, self._indices_of(step))
        images, labels = self._take_prefetched(step)
        on_device = images.to(self._device, non_blocking=True)
        return on_device, None if labels is None else labels.to(self._device, non_blocking=True)

    def _take_prefetched(self, step: int) -> Batch:
        # After a rollback or a resume, the prefetched batch is of another step.
        ready = self._prefetched if self._prefetched and self._prefetched[0] == step else (step, self._submit(step))
        self._prefetched = (step + 1, self._submit(step + 1))
        return ready[1].result()

    def _submit(self, step: int) -> Future[Batch]:
        # Only pinned memory can be copied to a GPU while it computes.
        pinned = self._device.type == "cuda"
        return self._reader.submit(_gather, self._images, self._labels, self._indices_of(step), pinned)

    def _indices_of(self, step: int) -> Tensor:
        epoch, place_in_epoch = divmod(step, self.steps_per_epoch)
        # The order of an epoch is computed once, at its first batch.
        if epoch != self._epoch:
            self._epoch, self._epoch_indices = (
                epoch,
                torch.from_numpy(self._order.epoch(epoch)).to(self._storage_device),
            )
        first = place_in_epoch * self.batch + self._rank_offset
        return self._epoch_indices[first : first + self.local_batch]


def _use_device(device: torch.device) -> None:
    """Make a GPU the current one of this thread, because pinned memory belongs to the current one."""
    if device.type == "cuda":
        torch.cuda.set_device(device)


def _gather(images: Tensor, labels: Tensor | None, chosen: Tensor, pinned: bool = False) -> Batch:
    taken = [_rows(whole, chosen) for whole in (images, labels) if whole is not None]
    batch = [tensor.pin_memory() for tensor in taken] if pinned else taken
    return batch[0], None if labels is None else batch[1]


def _rows(whole: Tensor, chosen: Tensor) -> Tensor:
    # On a CPU, NumPy copies on this thread alone; PyTorch would wake its team for it, and wait for the slowest.
    return torch.from_numpy(whole.numpy()[chosen.numpy()]) if whole.device.type == "cpu" else whole[chosen]


def _batch_size(count: int, batch: int, world_size: int) -> int:
    if batch % world_size:
        raise RecipeError(f"a batch of {batch} does not divide among {world_size} processes")
    if count < world_size:
        raise RecipeError(f"{count} images are too few for {world_size} processes")
    # A dataset smaller than a batch is one batch, in equal shares.
    return min(batch, count // world_size * world_size)


def choose_order(dataset: Dataset, balance: float, draws: int, seed: int) -> Order:
    """Choose a shuffled or a balanced order. Raises RecipeError when the balance does not fit the classes."""
    classes = len(dataset.description.classes)
    if not balance:
        return Shuffled(len(dataset.images), seed)
    if not classes:
        raise RecipeError(f"balance {balance:g} needs classes, but this dataset has none")
    if classes > draws:
        raise RecipeError(
            f"balance {balance:g} needs an image of each of {classes} classes in every epoch, which has {draws} images"
        )
    return Balanced(dataset.labels.numpy(), balance, draws, seed)


def _fits_in_memory(size_bytes: int, device: torch.device) -> bool:
    """Leave half of the memory to the networks. On a CPU, a dataset that fits is read from the page cache."""
    return size_bytes <= memory_bytes(device) // 2


def memory_bytes(device: torch.device) -> int:
    """Return the memory that a dataset could share: the free memory of a GPU, or the total memory of a CPU."""
    if device.type == "cuda":
        # Other processes may hold a part of the GPU's memory already.
        return torch.cuda.mem_get_info(device)[0]
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
