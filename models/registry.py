"""Names for architectures and for the checkpoints that are shipped with the package."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from torch import nn

from models import dcgan, residual
from models.errors import ModelError

MOST_CLASSES = 10_000
ZOO = Path(__file__).parent / "zoo"


def _whole_grid(resolution: int) -> int:
    if resolution % 16:
        raise ValueError(f"a resolution is a multiple of 16, got {resolution}")
    return resolution


class Architecture(BaseModel):
    """Everything that is needed to build a generator and its discriminator."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["dcgan", "residual"]
    resolution: Annotated[int, Field(ge=32, le=512), AfterValidator(_whole_grid)]
    latent_dim: int = Field(ge=1, le=1024)
    channels: int = Field(ge=1, le=512)
    """Width of the layer nearest to the image."""
    classes: int = Field(ge=0, le=MOST_CLASSES)
    """Number of class labels; 0 is unconditional."""
    sphere: bool = False
    """Latents are projected onto a sphere."""


_GENERATORS: dict[str, Callable[[Architecture], nn.Module]] = {
    "dcgan": lambda a: dcgan.Generator(a.resolution, a.latent_dim, a.channels, a.classes, a.sphere),
    "residual": lambda a: residual.Generator(a.resolution, a.latent_dim, a.channels, a.classes, a.sphere),
}


def build_generator(architecture: Architecture) -> nn.Module:
    """Build a freshly initialised generator."""
    return _GENERATORS[architecture.name](architecture)


def build_discriminator(
    architecture: Architecture, channels: int, norm: bool = True, projection: bool = False
) -> nn.Module:
    """Build a freshly initialised discriminator for a generator's images.

    `norm` and `projection` are the dcgan's options; the residual one is always without norm and with projection.
    """
    resolution, classes = architecture.resolution, architecture.classes
    if architecture.name == "residual":
        return residual.Discriminator(resolution, channels, classes)
    return dcgan.Discriminator(resolution, channels, classes, norm, projection)


def zoo() -> dict[str, Path]:
    """Find the shipped checkpoints, by model name."""
    return {path.stem: path for path in sorted(ZOO.glob("*.safetensors"))}


def find(model: str) -> Path:
    """Find a checkpoint by its file or by the name of a shipped model. Raises ModelError when it is neither."""
    shipped = zoo()
    if Path(model).is_file():
        return Path(model)
    if model not in shipped:
        raise ModelError(f"no checkpoint {model!r}: neither a file nor one of those shipped, {', '.join(shipped)}")
    return shipped[model]
