"""Sliders: named directions in the latent space of one model, in a JSON file beside the checkpoint."""

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from models.errors import CheckpointError

SLIDERS_SUFFIX = ".sliders.json"
"""End of the file name of the sliders, which stand beside their checkpoint."""


class Slider(BaseModel):
    """One direction. A step of 1 along its vector is a standard deviation of z."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=60)]
    kind: Literal["attribute", "direction"]
    """`attribute`: it changes the property in its name. `direction`: a principal component of the images."""
    r2: float
    """Share of the variance, on other images, that the class and z explain by a linear function."""
    r2_class: float
    """Share of the variance that the class alone explains."""
    vector: tuple[FiniteFloat, ...]
    """Direction of length 1."""
    low: float
    high: float
    """Range of steps in which images stay plausible."""


class Sliders(BaseModel):
    """The sliders of one model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    model: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of the checkpoint."""
    sliders: tuple[Slider, ...]


def sliders_path(checkpoint: Path) -> Path:
    """Return the path of the sliders of a checkpoint."""
    return checkpoint.with_name(checkpoint.stem + SLIDERS_SUFFIX)


def load_sliders(path: Path, model_sha256: str, latent_dim: int) -> tuple[Sliders, str]:
    """Return the sliders of a model, and the SHA-256 of their file.

    Raises CheckpointError if the file is damaged or belongs to another model, and OSError.
    """
    data = path.read_bytes()
    try:
        sliders = Sliders.model_validate_json(data)
    except ValidationError as error:
        raise CheckpointError(f"{path}: not a file of sliders ({error.errors()[0]['msg']})") from error
    if sliders.model != model_sha256:
        raise CheckpointError(f"{path}: the sliders belong to another checkpoint ({sliders.model[:12]})")
    if any(len(slider.vector) != latent_dim for slider in sliders.sliders):
        raise CheckpointError(f"{path}: a vector does not have {latent_dim} numbers, as the model's latents have")
    names = [slider.name for slider in sliders.sliders]
    if len(set(names)) < len(names):
        raise CheckpointError(f"{path}: two sliders have the same name")
    return sliders, hashlib.sha256(data).hexdigest()
