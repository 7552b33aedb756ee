"""A simulated GPU: images are rendered and encoded once, and come at a given speed."""

import time
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import torch
from torch import Tensor

from models import registry
from worker.contracts.catalog import CatalogEntry, Numerics
from worker.contracts.formats import Format
from worker.rendering import encoding
from worker.rendering.engine import RenderEngine
from worker.rendering.loaded_model import LoadedModel

MODEL = "faces-64"
NUMERICS = Numerics(name="simulated", batch_size=256)
"""Numerics with the batch size of a GPU."""


class SimulatedModel(LoadedModel):
    """A shipped model on a simulated GPU, which renders `images_per_s`, or takes no time."""

    def __init__(self, path: Path, images_per_s: float | None) -> None:
        super().__init__(path, torch.device("cpu"), torch.float32, NUMERICS)
        block, classes = range(self.batch_size), len(self.entry.classes)
        self.images = super().render(super().latents(0, block), [index % classes for index in block if classes])
        """Images of one batch."""
        self._batch_seconds = self.batch_size / images_per_s if images_per_s else 0.0
        self._free_at = 0.0
        self._queueing = Lock()

    def _try_parts(self) -> bool:
        """Return False: a job of one image costs a whole batch, as on a GPU."""
        return False

    def latents(self, seed: int, indices: range) -> Tensor:  # noqa: ARG002
        """Return empty latents, because the simulation needs none."""
        return torch.empty(len(indices), 0)

    def render(self, z: Tensor, labels: object, slots: Sequence[int] | None = None) -> Tensor:  # noqa: ARG002
        """Wait as long as a GPU that renders one batch at a time, and return the prepared images."""
        if self._batch_seconds:
            with self._queueing:
                self._free_at = max(self._free_at, time.perf_counter()) + self._batch_seconds
                free_at = self._free_at
            time.sleep(max(0.0, free_at - time.perf_counter()))
        return self.images if slots is None else self.images[list(slots)]


class SimulatedRuntime(RenderEngine):
    """A render engine with one simulated model."""

    def __init__(self, images_per_s: float | None, threads: int) -> None:
        super().__init__((), torch.device("cpu"), threads)
        self.numerics = NUMERICS
        self._simulated = SimulatedModel(registry.find(MODEL), images_per_s)
        self._files = encoding.encode(self._simulated.images, "png")

    @property
    def entries(self) -> list[CatalogEntry]:
        """Return the catalogue entries that this worker announces."""
        return [self._simulated.entry]

    def model(self, entry: CatalogEntry) -> LoadedModel:  # noqa: ARG002
        """Return the one model."""
        return self._simulated

    def encode(self, images: Tensor, kind: Format) -> list[bytes]:  # noqa: ARG002
        """Return one prepared PNG for each image."""
        return self._files[: len(images)]
