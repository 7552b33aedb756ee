"""Batches of a dataset, in an order that is a pure function of the seed and the step."""

import torch
from torch import Tensor

from training.dataset.store import Dataset


class Feed:
    """A dataset resident on the device as uint8, dealt out in shuffled epochs without the rest below a batch."""

    def __init__(self, dataset: Dataset, batch: int, seed: int, device: torch.device) -> None:
        self.images = dataset.images.to(device)
        self.labels = dataset.labels.to(device) if dataset.description.classes else None
        self.batch = min(batch, len(self.images))
        self.steps_per_epoch = len(self.images) // self.batch
        self._seed = seed
        self._epoch = -1
        self._order = torch.empty(0)

    def at(self, step: int) -> tuple[Tensor, Tensor | None]:
        """Return the batch of a step. Shapes: (batch, 3, r, r) uint8, labels (batch,) or None."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._order = self._shuffled(epoch)
            self._epoch = epoch
        chosen = self._order[place * self.batch : (place + 1) * self.batch]
        return self.images[chosen], None if self.labels is None else self.labels[chosen]

    def _shuffled(self, epoch: int) -> Tensor:
        random = torch.Generator().manual_seed((self._seed << 20) + epoch)
        return torch.randperm(len(self.images), generator=random).to(self.images.device)
