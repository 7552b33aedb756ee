"""One model that a worker keeps loaded on its device."""

from collections.abc import Sequence
from copy import copy
from pathlib import Path

import torch
from torch import Tensor, nn

from models import checkpoint, latents, pixels
from models.errors import ModelError
from models.inference import InferenceDcgan, for_inference
from models.mkldnn_packing import pack
from worker.contracts.catalog import CatalogEntry, Numerics
from worker.errors import ModelUnavailableError
from worker.rendering import partial_batches
from worker.rendering.file_checksum import file_sha256
from worker.rendering.loaded_gate import LoadedGate


class LoadedModel:
    """One generator on a device, with its catalogue entry."""

    def __init__(self, path: Path, device: torch.device, dtype: torch.dtype, numerics: Numerics) -> None:
        self._path = path
        header, generator = checkpoint.load_generator(path)
        self.entry = _catalog_entry(path, header, numerics)
        self.class_counts = header.data.class_counts
        """Number of training images of each class, in label order; empty if unknown."""
        self.gate: LoadedGate | None = None
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
            header, generator = checkpoint.load_generator(self._path)
            is_same = _catalog_entry(self._path, header, self.entry.numerics) == self.entry
        except (ModelError, OSError) as error:
            raise ModelUnavailableError(
                f"the checkpoint of {self.entry.name} can no longer be loaded: {error}"
            ) from error
        if not is_same:
            raise ModelUnavailableError(f"the checkpoint of {self.entry.name} has changed since the worker started")
        return generator.to(self.device)

    @property
    def original(self) -> "LoadedModel":
        """The model with the checkpoint's own generator, whose images the quality gate scores."""
        return self._original or self

    def load_gate(self, path: Path) -> None:
        """Load the model's quality gate. Raises CheckpointError if it is damaged or belongs to another model."""
        self.gate = LoadedGate(path, self.entry, self.device, self._dtype)

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
        self._divisible: InferenceDcgan | None = None
        """The generator if it can render a part of a batch alone without a change of its bytes, else None."""
        if self.device.type == "cpu":
            # Packing comes before the trial: the trial must compare the operators that will render.
            pack(self._generator, *self._sample_batch(0))
            if isinstance(rewritten, InferenceDcgan) and self._is_divisible(rewritten):
                self._divisible = rewritten

    @torch.inference_mode()
    def _is_divisible(self, generator: InferenceDcgan) -> bool:
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

    @torch.inference_mode()
    def render(self, z: Tensor, labels: Sequence[int], slots: range | None = None) -> Tensor:
        """Render the images in some slots of a whole batch, or in all slots.

        Conditional models need one label for each slot of the batch.
        An image's bytes depend on its latent and its slot, not on the other slots that are rendered.
        Shapes: z (batch_size, latent_dim); returns (len(slots), 3, h, w) uint8 on the CPU, channels last in memory.
        """
        slots, batch_labels = range(len(z)) if slots is None else slots, self.label_tensor(labels)
        try:
            images = self._images(z, batch_labels, slots)
        except torch.OutOfMemoryError:
            # Freeing cached memory may be enough. A smaller batch is no way out, since it could give other bytes.
            torch.cuda.empty_cache()
            images = self._images(z, batch_labels, slots)
        return pixels.to_uint8(images).contiguous(memory_format=torch.channels_last).cpu()

    def _images(self, z: Tensor, labels: Tensor | None, slots: range) -> Tensor:
        if self._divisible:
            return partial_batches.render(self._divisible, z, labels, slots)
        images: Tensor = self._generator(z, labels)
        return images[slots.start : slots.stop]

    def portion_size(self, images: int, threads: int) -> int:
        """Return how many images a thread renders at once: fewer than a batch if other threads would be idle."""
        return partial_batches.portion_size(self.batch_size, images, threads) if self._divisible else self.batch_size

    def label_tensor(self, labels: Sequence[int]) -> Tensor | None:
        """Put labels on the device; None for an unconditional model. Shape: returns (len(labels),) int64."""
        return torch.tensor(labels, device=self.device) if self.entry.classes else None


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
