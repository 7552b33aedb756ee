"""The models that a worker keeps loaded on one device."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import torch

from models import registry
from models.device_memory import is_out_of_memory
from models.errors import ModelError
from models.precision import fastest_dtype
from models.quality_gate import gate_path
from models.sliders import sliders_path
from worker.contracts.catalog import CatalogEntry, ModelFacts, Numerics, SetAside
from worker.contracts.logs import fields
from worker.errors import ModelUnavailableError
from worker.rendering.device import device_name
from worker.rendering.device_turn import device_turn
from worker.rendering.loaded_model import LoadedModel
from worker.rendering.model_facts import model_facts

_BATCH_SIZES = {"cpu": 16, "cuda": 256}
"""Batch size for each kind of device. It is fixed, because an image's bytes depend on the batch shape."""

log = logging.getLogger(__name__)


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
        name = f"{device_name(device)}-{str(dtype).removeprefix('torch.')}" + f"-{size}" * (size != default)
        self.numerics = Numerics(name=name, batch_size=size)
        """Device type, number format and batch size of this worker."""
        self.set_aside: list[SetAside] = []
        """Checkpoints and quality gates that could not be loaded, with reasons."""
        # Of two checkpoints with one name, the later one replaces the earlier one.
        by_name = {model.entry.name: model for model in self._load_all(paths, dtype)}
        self._models = {model.entry.sha256: model for model in by_name.values()}

    @property
    def entries(self) -> list[CatalogEntry]:
        """Catalogue entries of the loaded models."""
        return [model.entry for model in self._models.values()]

    @property
    def facts(self) -> list[ModelFacts]:
        """Facts about the loaded models, with the checksums of their quality gates."""
        return [model_facts(model) for model in self._models.values()]

    def warm_up(self) -> None:
        """Render and score one batch with every model, so that the first job does not wait for lazy initialisation."""
        for model in self._models.values():
            indices = range(model.batch_size)
            z, labels = model.latents(0, indices), model.labels(indices)
            model.render(z, labels)
            if model.gate is not None:
                model.gate.scores(model.grids(z, labels), indices, labels)

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
                model = LoadedModel(path, self.device, dtype, self.numerics)
            except ModelError as error:
                self._set_aside(path, error)
                continue
            for beside, load in ((gate_path(path), model.load_gate), (sliders_path(path), model.load_sliders)):
                try:
                    if beside.exists():
                        load(beside)
                except (ModelError, OSError) as error:
                    self._set_aside(beside, error)  # the model is usable without it
            yield model

    def _set_aside(self, path: Path, error: Exception) -> None:
        # The API shows the reason to its users, so it must not contain a path of this host.
        text = error.strerror if isinstance(error, OSError) else None
        reason = text or str(error).removeprefix(f"{path}: ")
        self.set_aside.append(SetAside(file=path.name, reason=reason))
        log.warning("file was set aside", extra=fields(path=path, reason=reason))


def load_fitting_engine(paths: Sequence[Path], device: torch.device, threads: int) -> RenderEngine:
    """Load models and render a batch with each. The batch size is halved until the models fit into device memory.

    Smaller batches may give other bytes, so the batch size becomes part of the worker's numerics. The workers of a GPU
    load one after the other.
    """
    size = _BATCH_SIZES[device.type]
    with device_turn(device):
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
    except RuntimeError as error:
        if size == 1 or not is_out_of_memory(error):
            raise
        return None
    return engine


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
