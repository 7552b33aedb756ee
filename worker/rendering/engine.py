"""The models that a worker keeps loaded on one device."""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from models import checkpoint, latents, pixels, registry
from models.errors import ModelError
from models.inference import InferenceDcgan, for_inference
from models.mkldnn_packing import pack
from models.precision import fastest_dtype
from worker.contracts.catalog import CatalogEntry, Numerics, SetAside
from worker.contracts.errors import SettingsError
from worker.contracts.logs import fields
from worker.errors import ModelUnavailableError
from worker.rendering import partial_batches

_BATCH_SIZES = {"cpu": 16, "cuda": 256}
"""Batch size for each kind of device. It is fixed, because an image's bytes depend on the batch shape."""

log = logging.getLogger(__name__)


class LoadedModel:
    """One generator on a device, with its catalogue entry."""

    def __init__(self, path: Path, device: torch.device, dtype: torch.dtype, numerics: Numerics) -> None:
        self._path = path
        header, generator = checkpoint.load_generator(path)
        self.entry = _catalog_entry(path, header, numerics)
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

    def with_generator(self, generator: nn.Module) -> "LoadedModel":
        """Return a copy of this model that renders with another generator."""
        # The copy shares the entry and the settings. _set_generator replaces everything that depends on the weights.
        copied = copy(self)
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


class RenderEngine:
    """All loaded models of a worker, by the sha256 of their checkpoints."""

    def __init__(
        self, paths: Iterable[Path], device: torch.device, threads: int = 1, batch_size: int | None = None
    ) -> None:
        self.device = device
        self.threads = threads
        """Number of threads that render and encode."""
        dtype = fastest_dtype(device)
        default = _BATCH_SIZES[device.type]
        # A batch size other than the default is part of the numerics' name, since it changes the bytes of images.
        size = batch_size or default
        name = f"{device.type}-{str(dtype).removeprefix('torch.')}" + f"-{size}" * (size != default)
        self.numerics = Numerics(name=name, batch_size=size)
        """Device type, number format and batch size of this worker."""
        self.set_aside: list[SetAside] = []
        """Checkpoints that could not be loaded, with reasons."""
        # Of two checkpoints with one name, the later one replaces the earlier one.
        by_name = {model.entry.name: model for model in self._load_all(paths, dtype)}
        self._models = {model.entry.sha256: model for model in by_name.values()}

    @property
    def entries(self) -> list[CatalogEntry]:
        """Catalogue entries of the loaded models."""
        return [model.entry for model in self._models.values()]

    def warm_up(self) -> None:
        """Render one batch with every model, so that the first job does not wait for lazy initialisation."""
        for model in self._models.values():
            indices = range(model.batch_size)
            model.render(model.latents(0, indices), model.labels(indices))

    def model(self, entry: CatalogEntry) -> LoadedModel:
        """Return the loaded model of a catalogue entry. Raises ModelUnavailableError when it is not loaded."""
        model = self._models.get(entry.sha256)
        if model is None:
            loaded = ", ".join(f"{e.name} ({e.sha256[:12]})" for e in self.entries) or "none"
            raise ModelUnavailableError(f"no worker model {entry.name} ({entry.sha256[:12]}); this worker has {loaded}")
        return model

    def _load_all(self, paths: Iterable[Path], dtype: torch.dtype) -> Iterator[LoadedModel]:
        for path in paths:
            try:
                yield LoadedModel(path, self.device, dtype, self.numerics)
            except ModelError as error:
                reason = str(error).removeprefix(f"{path}: ")
                self.set_aside.append(SetAside(file=path.name, reason=reason))
                log.warning("checkpoint was set aside", extra=fields(path=path, reason=reason))


def load_fitting_engine(paths: Sequence[Path], device: torch.device, threads: int) -> RenderEngine:
    """Load models and render a batch with each. The batch size is halved until the models fit into device memory.

    Smaller batches may give other bytes, so the batch size becomes part of the worker's numerics.
    """
    size = _BATCH_SIZES[device.type]
    while (engine := _load_and_warm_up(paths, device, threads, size)) is None:
        size //= 2
        log.warning("out of device memory, batches were halved", extra=fields(images=size))
        torch.cuda.empty_cache()
    return engine


def _load_and_warm_up(paths: Sequence[Path], device: torch.device, threads: int, size: int) -> RenderEngine | None:
    """Load models and render a batch with each; None, with the memory released, if the device memory is too small."""
    try:
        engine = RenderEngine(paths, device, threads, size)
        engine.warm_up()
    except torch.OutOfMemoryError:
        if size == 1:
            raise
        return None
    return engine


def choose_device(requested: Literal["auto", "cpu", "cuda"]) -> torch.device:
    """Return the requested device; "auto" prefers CUDA. Raises SettingsError when CUDA is requested but missing."""
    if requested == "cuda" and not torch.cuda.is_available():
        raise SettingsError(
            "IMAGEMILL_DEVICE is 'cuda', but PyTorch finds no GPU: check that nvidia-smi shows one and that its driver "
            "is new enough, or set the device to 'auto' or 'cpu'"
        )
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if requested == "auto" else requested)


def find_checkpoints(folder: Path | None) -> list[Path]:
    """Return the paths of the shipped checkpoints, then those of the user's folder.

    Of two models with one name, the later one is used.
    A folder that cannot be read is returned as a path, so that it is set aside with its reason.
    """
    shipped = list(registry.zoo().values())
    if folder is None:
        return shipped
    try:
        return [*shipped, *registry.checkpoints_in(folder)]
    except OSError as error:
        log.error("IMAGEMILL_MODELS is '%s', which is not a readable folder (%s)", folder, error.strerror)
        return [*shipped, folder]


def _catalog_entry(path: Path, header: checkpoint.Header, numerics: Numerics) -> CatalogEntry:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return CatalogEntry(
        name=header.name,
        sha256=digest,
        resolution=header.resolution,
        classes=header.classes,
        data=header.data.name,
        licence=header.data.licence,
        metrics=header.metrics,
        numerics=numerics,
    )
