"""The file engine-1.json: the program that draws the images of one model in a browser."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

FORMAT_VERSION: Literal[1] = 1
"""Version of the kernels and of this file. It is part of the files' names, because browsers cache them for a year."""

Kernel = Literal["widen", "convolve", "scale", "upsample", "paint_quads", "paint_pixels"]


class Call(BaseModel):
    """One call of a kernel."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kernel: Kernel
    arguments: tuple[int | float, ...]
    """Arguments in the order of the kernel's parameters. Addresses count floats."""


class EngineFile(BaseModel):
    """The content of engine-1.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = FORMAT_VERSION
    model: str
    """The sha256 of the checkpoint."""
    name: str
    resolution: int
    latent_size: int
    is_spherical: bool
    """True if z is projected onto the sphere before the first layer."""
    classes: tuple[str, ...]
    label_size: int
    """Length of a class embedding, which follows z in the input; 0 without classes."""
    multiply_adds: int
    """Multiply-adds of the convolutions of one image."""
    constants: int
    """Number of float32 values at the start of weights-1.bin, which are the first floats of the memory."""
    weights: int
    """Number of int16 values that follow in weights-1.bin. Each becomes a float of the memory."""
    memory: int
    """Number of floats of the memory."""
    embedding: int
    """Address of the class embeddings, one row for each class."""
    input: int
    """Address of z and the class embedding."""
    image: int
    """Address of the image's RGBA pixels, one float each."""
    preparation: tuple[Call, ...]
    """Calls that turn int16 values into weights, once. The values are in the second half of the weights' section."""
    calls: tuple[Call, ...]
    """Calls that draw one image."""
