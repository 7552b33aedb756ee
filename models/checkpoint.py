"""The checkpoint format: weights in safetensors, with a versioned JSON header that describes them."""

import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from models import safetensors_file
from models.errors import CheckpointError
from models.registry import Architecture, build_generator

FORMAT_VERSION: Literal[1] = 1
_KEY = "imagemill"
MODEL_NAME = r"^[a-z0-9][a-z0-9._-]{0,63}$"
"""Pattern of a model's name, which is part of URLs and file names."""


CLASS_NAME = r"^[^\x00-\x1f\x7f]{1,64}$"
"""Pattern of a class name, which becomes a folder in datasets."""


def _is_default(value: object) -> bool:
    return not value  # so that headers without these facts look as they always did


class DataCredit(BaseModel):
    """Source and licence of the training images, and which images they were."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    licence: str
    images: int = Field(ge=1)
    sha256: str = Field(default="", exclude_if=_is_default)
    """Hash of the training images and their labels; empty in older files."""
    held_out: int = Field(default=0, ge=0, exclude_if=_is_default)
    """Number of images of the dataset that the training did not see."""
    class_counts: tuple[int, ...] = Field(default=(), exclude_if=_is_default)
    """Number of training images of each class, in the order of the classes; empty in older files."""


class Training(BaseModel):
    """Amount of training of a checkpoint, and the device."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    images_seen: int = Field(ge=0)
    minutes: float | None = Field(default=None, ge=0)
    """Minutes of training, only in older files: newer ones do not depend on the time. The run's log has it."""
    device: str


class Header(BaseModel):
    """The header of a checkpoint."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Literal[1] = FORMAT_VERSION
    name: str = Field(pattern=MODEL_NAME)
    architecture: Architecture
    classes: tuple[Annotated[str, StringConstraints(pattern=CLASS_NAME)], ...]
    data: DataCredit
    training: Training
    metrics: dict[str, float]
    recipe: dict[str, JsonValue]
    versions: dict[str, str]

    @property
    def resolution(self) -> int:
        """Side of the images, in pixels."""
        return self.architecture.resolution

    @property
    def latent_dim(self) -> int:
        """Length of a latent z."""
        return self.architecture.latent_dim

    def model_post_init(self, _context: object, /) -> None:
        """Refuse class names that do not match the architecture."""
        if len(set(self.classes)) != self.architecture.classes:
            raise ValueError(f"{self.architecture.classes} distinct class names are needed, got {list(self.classes)}")


def installed_versions() -> dict[str, str]:
    """Return the versions of Imagemill, torch and Python, for the header."""
    try:
        imagemill_version = version("imagemill")
    except PackageNotFoundError:
        imagemill_version = "unknown"
    return {"imagemill": imagemill_version, "torch": torch.__version__, "python": platform.python_version()}


def save(path: Path, header: Header, generator: nn.Module) -> None:
    """Write a checkpoint atomically. Raises CheckpointError if the weights do not match the header."""
    tensors = generator.state_dict()
    _check_tensors(path, tensors, header.architecture)
    safetensors_file.write(path, _KEY, header, tensors)


def read_header(path: Path) -> Header:
    """Read the header of a checkpoint, without its weights.

    Raises CheckpointError if the file is missing, is not a safetensors file, or has an unknown version.
    """
    return safetensors_file.read_header(path, _KEY, Header, FORMAT_VERSION)


def load_generator(path: Path) -> tuple[Header, nn.Module]:
    """Load a generator in eval mode, float32, on the CPU.

    Raises CheckpointError like `read_header`, and if tensors are missing, unknown, or of a wrong shape or type.
    """
    header, tensors = safetensors_file.read(path, _KEY, Header, FORMAT_VERSION)
    # Before the generator is built: a wrong header can declare one of 20 GB.
    _check_tensors(path, tensors, header.architecture)
    generator = build_generator(header.architecture)
    generator.load_state_dict(tensors)
    return header, generator.eval().requires_grad_(False)


class _SkipNormalInitialisation(TorchFunctionMode):
    """Skips `nn.init.normal_`. On the meta device it has no effect, but torch would load its compiler for it."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        kwargs = kwargs or {}
        return kwargs["tensor"] if func is nn.init.normal_ else func(*args, **kwargs)


def _check_tensors(path: Path, tensors: Mapping[str, Tensor], architecture: Architecture) -> None:
    # Tensors on the meta device have shapes but no memory.
    with torch.device("meta"), _SkipNormalInitialisation():
        expected = build_generator(architecture).state_dict()
    faults = [f"missing {key}" for key in expected.keys() - tensors.keys()]
    faults += [f"unknown {key}" for key in tensors.keys() - expected.keys()]
    faults += [
        f"{key} has shape {tuple(tensors[key].shape)}, not {tuple(value.shape)}"
        for key, value in expected.items()
        if key in tensors and tensors[key].shape != value.shape
    ]
    faults += [
        f"{key} holds {tensors[key].dtype}, not {value.dtype}"
        for key, value in expected.items()
        if key in tensors and tensors[key].is_floating_point() != value.is_floating_point()
    ]
    faults += [
        f"{key} holds values that are not finite" for key, value in tensors.items() if not value.isfinite().all()
    ]
    if faults:
        raise CheckpointError(f"{path}: {'; '.join(sorted(faults)[:5])}")
