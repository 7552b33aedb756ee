"""A recipe is data: the networks, the objective, the optimiser and the budget of a run."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from training.errors import RecipeError

_FOLDER = Path(__file__).parent / "recipes"


_Beta = Annotated[float, Field(ge=0, lt=1)]


class Recipe(BaseModel):
    """Everything that decides how a run goes, apart from its data and its seed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: Literal["dcgan"]
    objective: Literal["bce"]
    latent_dim: int = Field(ge=1, le=1024)
    generator_channels: int = Field(ge=1, le=512)
    discriminator_channels: int = Field(ge=1, le=512)
    batch: int = Field(ge=2, le=65_536)
    epochs: float = Field(gt=0, le=1e6, allow_inf_nan=False)
    """Budget: how often each image is seen. Fractions are allowed."""
    generator_lr: float = Field(gt=0, allow_inf_nan=False)
    discriminator_lr: float = Field(gt=0, allow_inf_nan=False)
    betas: tuple[_Beta, _Beta]
    mirror: bool
    """Show each image also flipped left to right."""
    augment: float = Field(ge=0, le=1)
    """Probability of each differentiable augmentation of the discriminator's input."""
    ema_half_life_images: float = Field(ge=0)


def names() -> list[str]:
    """List the recipes that ship with the package."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load(name: str, overrides: dict[str, str] | None = None) -> Recipe:
    """Read a recipe by name and change single values, given as TOML text.

    Raises RecipeError for an unknown recipe, an unknown key or a value out of range.
    """
    path = _FOLDER / f"{name}.toml"
    if name not in names():
        raise RecipeError(f"no recipe {name!r}; there are: {', '.join(names())}")
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    for key, text in (overrides or {}).items():
        values[key] = _value(key, text)
    return checked(values)


def checked(values: Mapping[str, object]) -> Recipe:
    """Make a recipe of its values. Raises RecipeError for an unknown key or a value out of range."""
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}, got {e['input']!r}" for e in error.errors()]
        raise RecipeError("; ".join(faults)) from error


def _value(key: str, text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{key}: {text!r} is not a TOML value (text needs quotes)") from error
