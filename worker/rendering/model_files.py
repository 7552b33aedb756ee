"""The files of a loaded model that the page needs."""

from pathlib import Path

from models import checkpoint
from models.browser.packed_model import pack
from models.browser.program import UnsupportedModelError
from worker.contracts.model_files import ModelFile
from worker.errors import ModelUnavailableError
from worker.rendering.file_checksum import file_sha256

_MOST_MULTIPLY_ADDS = 100_000_000
"""Largest work of one image in a browser: about 7 ms on a core of 2024. Servers draw larger models."""
_SUFFIXES = {
    ModelFile.SLIDERS: ".sliders.json",
    ModelFile.CARD: ".md",
    ModelFile.GRID: ".png",
    ModelFile.STRIP: "-strip.png",
    ModelFile.PLOTS: "-plots.png",
}
"""Ends of the names of the files beside a checkpoint."""


def files_beside(path: Path) -> dict[ModelFile, Path]:
    """Return the files of a model that exist beside its checkpoint."""
    found = {name: path.with_name(path.stem + suffix) for name, suffix in _SUFFIXES.items()}
    return {name: file for name, file in found.items() if file.is_file()}


def pack_for_browsers(path: Path, model_sha256: str) -> dict[ModelFile, bytes]:
    """Return the files from which a browser draws a model's images, in the order in which they must be written.

    The result is empty if browsers cannot draw the model. Raises CheckpointError, and ModelUnavailableError if the
    checkpoint has changed.
    """
    header, generator = checkpoint.load_generator(path)
    if file_sha256(path) != model_sha256:
        raise ModelUnavailableError(f"the checkpoint of {header.name} has changed since the worker started")
    try:
        packed = pack(header, generator, model_sha256)
    except UnsupportedModelError:
        return {}
    if packed.engine.multiply_adds > _MOST_MULTIPLY_ADDS:
        return {}
    # The program comes last: it promises the weights.
    return {ModelFile.WEIGHTS: packed.weights, ModelFile.ENGINE: packed.engine.model_dump_json().encode()}
