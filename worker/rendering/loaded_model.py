"""One model that a worker keeps loaded on its device."""

from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from models import checkpoint, latents, pixels
from models.errors import ModelError
from models.inference import InferenceDcgan, for_inference
from models.mkldnn_packing import pack
from models.sliders import Sliders, load_sliders
from worker.contracts.around import Around
from worker.contracts.catalog import CatalogEntry, Numerics
from worker.contracts.points import Point
from worker.contracts.walk import Walk
from worker.errors import ModelUnavailableError
from worker.rendering import partial_batches
from worker.rendering.device import call_with_memory
from worker.rendering.file_checksum import file_sha256
from worker.rendering.loaded_gate import LoadedGate
from worker.rendering.point_latents import latents_along, latents_around, latents_of

Labels = Sequence[int] | Tensor
"""Numbers of classes, or the tensor of `LoadedModel.mix_classes`."""


class LoadedModel:
    """One generator on a device, with its catalogue entry."""

    def __init__(self, path: Path, device: torch.device, dtype: torch.dtype, numerics: Numerics) -> None:
        self.path = path
        header, generator = checkpoint.load_generator(path)
        self.entry = _catalog_entry(path, header, numerics)
        self.class_counts = header.data.class_counts
        """Number of training images of each class, in label order; empty if unknown."""
        self.gate: LoadedGate | None = None
        self.sliders: Sliders | None = None
        self.sliders_sha256: str | None = None
        """Checksum of the file of the sliders; None if there is none."""
        self._original: LoadedModel | None = None
        self.batch_size = numerics.batch_size
        self._latent_dim = header.latent_dim
        self.device = device
        self._dtype = dtype
        self._set_generator(generator)

    def load_original(self) -> nn.Module:
        """Load the generator from its checkpoint again, in float32, onto the device.

        Raises ModelUnavailableError when the checkpoint is missing or has changed.
        """
        try:
            header, generator = checkpoint.load_generator(self.path)
            is_same = _catalog_entry(self.path, header, self.entry.numerics) == self.entry
        except (ModelError, OSError) as error:
            raise ModelUnavailableError(
                f"the checkpoint of {self.entry.name} can no longer be loaded: {error}"
            ) from error
        if not is_same:
            raise ModelUnavailableError(f"the checkpoint of {self.entry.name} has changed since the worker started")
        return generator.to(self.device)

    @property
    def original(self) -> "LoadedModel":
        """The model with the checkpoint's own generator, whose grids the quality gate scores."""
        return self._original or self

    def load_gate(self, path: Path) -> None:
        """Load the model's quality gate. Raises CheckpointError if it is damaged or belongs to another model."""
        self.gate = LoadedGate(path, self.entry, self.grid_channels, self.device, self._dtype)

    def load_sliders(self, path: Path) -> None:
        """Load the model's sliders. Raises CheckpointError if they are damaged or belong to another model."""
        self.sliders, self.sliders_sha256 = load_sliders(path, self.entry.sha256, self._latent_dim)

    def with_generator(self, generator: nn.Module) -> "LoadedModel":
        """Return a copy of this model that renders with another generator."""
        # The copy shares the entry and the settings. _set_generator replaces everything that depends on the weights.
        copied = copy(self)
        copied._original = self.original
        copied._set_generator(generator)
        return copied

    def _set_generator(self, generator: nn.Module) -> None:
        rewritten = for_inference(generator).to(self.device, self._dtype)
        self._generator: nn.Module = rewritten.to(memory_format=torch.channels_last)
        self.grid_channels = rewritten.channels if isinstance(rewritten, InferenceDcgan) else 0
        """Number of channels of the start grids; 0 if the generator has none."""
        if self.device.type == "cpu":
            # Packing comes before the trial: the trial must compare the operators that will render.
            pack(self._generator, *self._sample_batch(0))
        self._is_divisible = self._try_parts()

    @torch.inference_mode()
    def _try_parts(self) -> bool:
        """Return whether some images of a batch can be drawn alone without a change of their bytes."""
        generator = self._generator
        if self.device.type != "cpu" or not isinstance(generator, InferenceDcgan):
            return False
        return partial_batches.are_exact(
            generator, self.batch_size, lambda number: generator.grids(*self._sample_batch(number))
        )

    def _sample_batch(self, number: int) -> tuple[Tensor, Tensor | None]:
        """Draw a whole batch of latents and labels, as a test input."""
        block = range(number * self.batch_size, (number + 1) * self.batch_size)
        z = latents.sample(self._latent_dim, 0, block).to(self.device, self._dtype)
        return z, self.label_tensor(self.labels(block))

    def labels(self, indices: range) -> list[int]:
        """Return class labels that cycle with the index; empty for an unconditional model."""
        return [index % len(self.entry.classes) for index in indices] if self.entry.classes else []

    def latents(self, seed: int, indices: range) -> Tensor:
        """Draw the latents of some indices. Shapes: returns (len(indices), latent_dim) on the device."""
        return latents.sample(self._latent_dim, seed, indices).to(self.device, self._dtype)

    def latents_at(self, placement: Around | Walk, seed: int, indices: range) -> Tensor:
        """Return the latents of the images of a job around a point, or on a walk.

        Shapes: returns (len(indices), latent_dim) on the device. Raises ModelUnavailableError for other sliders.
        """
        if placement.sliders is not None and placement.sliders != self.sliders_sha256:
            wanted = f"the sliders {placement.sliders[:8]} of the model {self.entry.name}"
            raise ModelUnavailableError(f"this worker does not have {wanted}; it has {self.sliders_sha256 or 'none'}")
        if isinstance(placement, Walk):
            z = latents_along(placement, self.sliders, self._latent_dim, indices)
        else:
            z = latents_around(placement, self.sliders, self._latent_dim, seed, indices)
        return z.to(self.device, self._dtype)

    def latents_of(self, points: Sequence[Point]) -> Tensor:
        """Return the latents of points. Shapes: returns (len(points), latent_dim) on the device."""
        return latents_of(points, self.sliders, self._latent_dim).to(self.device, self._dtype)

    def mix_classes(self, weights: Sequence[Mapping[int, float]]) -> Tensor | None:
        """Return the embedded mixtures of classes, as labels for `render`; None for an unconditional model.

        The weights of a mixture sum to 1. Shapes: returns (len(weights), embedding_dim).
        """
        if not self.entry.classes:
            return None
        table = cast(nn.Embedding, self._generator.embedding).weight.detach()
        rows = [
            sum(
                (weight * table[label].double() for label, weight in each.items()),
                torch.zeros(1).double().to(table.device),
            )
            for each in weights
        ]
        return torch.stack(rows).to(table.dtype)

    @torch.inference_mode()
    def render(self, z: Tensor, labels: Labels, slots: Sequence[int] | None = None) -> Tensor:
        """Render the images in some slots of a whole batch, or in all slots.

        Conditional models need one label for each slot of the batch.
        An image's bytes depend on its latent and its slot, not on the other slots that are rendered.
        Shapes: z (batch_size, latent_dim); returns (len(slots), 3, h, w) uint8 on the CPU, channels last in memory.
        """
        slots = range(len(z)) if slots is None else slots
        if self.grid_channels:
            return self.draw(self.grids(z, labels), slots)
        batch_labels = self.label_tensor(labels)
        return call_with_memory(lambda: _to_levels(self._generator(z, batch_labels)[list(slots)]))

    @torch.inference_mode()
    def grids(self, z: Tensor, labels: Labels) -> Tensor:
        """Compute the start grids of a whole batch, for `draw`. The model must have start grids.

        Shapes: z and labels as for `render`; returns (batch_size, grid_channels, g, g) on the device.
        """
        generator, batch_labels = cast(InferenceDcgan, self._generator), self.label_tensor(labels)
        return call_with_memory(lambda: generator.grids(z, batch_labels))

    @torch.inference_mode()
    def draw(self, grids: Tensor, slots: Sequence[int]) -> Tensor:
        """Draw the images in some slots of a whole batch from its start grids: the same bytes as by `render`.

        If parts of a batch are not exact, the whole batch is drawn.
        Shapes: grids (batch_size, grid_channels, g, g); returns (len(slots), 3, h, w) uint8 on the CPU.
        """
        generator, rows = cast(InferenceDcgan, self._generator), list(slots)
        if self._is_divisible:
            return call_with_memory(lambda: _to_levels(generator.images(grids[rows])))
        return call_with_memory(lambda: _to_levels(generator.images(grids)[rows]))

    def portion_size(self, images: int, threads: int) -> int:
        """Return how many images a thread renders at once: fewer than a batch if other threads would be idle."""
        return partial_batches.portion_size(self.batch_size, images, threads) if self._is_divisible else self.batch_size

    def label_tensor(self, labels: Labels) -> Tensor | None:
        """Put labels on the device; None for an unconditional model. Shape: returns (len(labels),) int64."""
        if isinstance(labels, Tensor):
            return labels
        return torch.tensor(labels, device=self.device) if self.entry.classes else None


def _to_levels(images: Tensor) -> Tensor:
    return pixels.to_uint8(images).contiguous(memory_format=torch.channels_last).cpu()


def _catalog_entry(path: Path, header: checkpoint.Header, numerics: Numerics) -> CatalogEntry:
    return CatalogEntry(
        name=header.name,
        sha256=file_sha256(path),
        resolution=header.resolution,
        classes=header.classes,
        data=header.data.name,
        licence=header.data.licence,
        metrics=header.metrics,
        numerics=numerics,
    )
