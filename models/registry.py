"""The architectures by name, and the checkpoints that are shipped with the package."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from torch import nn

from models import dcgan, residual
from models.errors import ModelError

MAX_CLASSES = 10_000
ZOO = Path(__file__).parent / "zoo"
GATE_SUFFIX = ".gate.safetensors"
"""End of the file name of a quality gate, which stands beside its checkpoint."""


def _check_multiple_of_16(resolution: int) -> int:
    if resolution % 16:
        raise ValueError(f"a resolution is a multiple of 16, got {resolution}")
    return resolution


class Architecture(BaseModel):
    """The shape of a generator, and of the discriminator that is trained with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["dcgan", "residual"]
    resolution: Annotated[int, Field(ge=32, le=512), AfterValidator(_check_multiple_of_16)]
    latent_dim: int = Field(ge=1, le=1024)
    channels: int = Field(ge=1, le=512)
    """Number of channels of the layer nearest to the image."""
    classes: int = Field(ge=0, le=MAX_CLASSES)
    """Number of class labels; 0 for an unconditional model."""
    sphere: bool = False
    """True if latents are projected onto a sphere."""


# The fields of an architecture are part of every checkpoint's header, so they have the same meaning for all networks.
_GENERATORS: dict[str, Callable[[Architecture], nn.Module]] = {
    "dcgan": lambda a: dcgan.Generator(a.resolution, a.latent_dim, a.channels, a.classes, a.sphere),
    "residual": lambda a: residual.Generator(a.resolution, a.latent_dim, a.channels, a.classes, a.sphere),
}


def build_generator(architecture: Architecture) -> nn.Module:
    """Build a generator with initial weights."""
    return _GENERATORS[architecture.name](architecture)


def build_discriminator(
    architecture: Architecture, channels: int, norm: bool = True, projection: bool = False
) -> nn.Module:
    """Build a discriminator with initial weights, for the images of a generator.

    `norm` and `projection` are options of dcgan. A residual discriminator has no norm and always a projection.
    """
    resolution, classes = architecture.resolution, architecture.classes
    if architecture.name == "residual":
        return residual.Discriminator(resolution, channels, classes)
    return dcgan.Discriminator(resolution, channels, classes, norm, projection)


def zoo() -> dict[str, Path]:
    """Return the paths of the shipped checkpoints, by model name."""
    return {path.stem: path for path in checkpoints_in(ZOO)}


def checkpoints_in(folder: Path) -> list[Path]:
    """Return the safetensors files of a folder that are no quality gates. Raises OSError if it cannot be read."""
    files = (path for path in folder.iterdir() if path.suffix == ".safetensors")
    return sorted(path for path in files if not path.name.endswith(GATE_SUFFIX))


def find(model: str) -> Path:
    """Return the checkpoint with a path or the name of a shipped model. Raises ModelError if it is neither."""
    shipped = zoo()
    if Path(model).is_file():
        return Path(model)
    if model not in shipped:
        raise ModelError(f"no checkpoint {model!r}: neither a file nor a shipped model ({', '.join(shipped)})")
    return shipped[model]
