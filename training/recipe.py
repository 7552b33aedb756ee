"""A recipe describes a run: networks, objective, penalties, optimisers, schedule and budget."""

import ast
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from training.errors import RecipeError

BUDGETS = ("epochs", "images", "minutes")
"""Fields of which a recipe sets exactly one."""
_FOLDER = Path(__file__).parent / "recipes"

_Beta = Annotated[float, Field(ge=0, lt=1)]
_Share = Annotated[float, Field(ge=0, le=1)]
_Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Channels = Annotated[int, Field(ge=1, le=512)]


class Recipe(BaseModel):
    """All settings of a run except its data and its seed.

    Values that change over a run change in proportion to the spent budget.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: Literal["dcgan", "residual"]
    objective: Literal["bce", "wasserstein", "relativistic"]
    labels: Literal["ignore", "use", "need"] = "use"
    """Whether classes make the model conditional. `need` rejects a dataset without classes."""
    latent_dim: int = Field(ge=1, le=1024)
    sphere: bool = False
    """Draw latents from a sphere instead of a normal distribution."""
    generator_channels: _Channels
    discriminator_channels: _Channels
    discriminator_norm: bool = True
    """Batch norm in the discriminator (dcgan)."""
    projection: bool = False
    """Feed the label to the discriminator by projection instead of as an input plane (dcgan)."""

    batch: int = Field(ge=2, le=65_536)
    discriminator_steps: int = Field(default=1, ge=1, le=100)
    """Discriminator steps per generator step."""
    epochs: float | None = Field(default=None, gt=0, le=1e6, allow_inf_nan=False)
    """Budget: how often each image is seen. Fractions are allowed."""
    images: int | None = Field(default=None, ge=1)
    """Budget: how many images are seen in all."""
    minutes: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Budget: how long the run trains."""

    optimiser: Literal["adam", "rmsprop"] = "adam"
    generator_lr: _Rate
    discriminator_lr: _Rate
    final_lr: _Share = 1
    """Share of the learning rates at the end of a cosine schedule; 1 keeps them constant."""
    betas: tuple[_Beta, _Beta] = (0.5, 0.999)
    """Decay rates of Adam's moments."""
    clip: _Weight = 0
    """Largest absolute weight of the discriminator after each of its steps; 0 does not clip."""
    gradient_penalty: _Weight = 0
    """Weight (lambda) of the penalty between reals and fakes (WGAN-GP)."""
    gamma: _Weight = 0
    """Weight of the zero-centred penalties R1 and R2 at the start."""
    final_gamma: _Weight = 0
    """Value of gamma from half of the budget on; 0 keeps gamma constant."""
    penalty_every_steps: int = Field(default=1, ge=1)
    """Steps between two computations of R1 and R2. Their weight is multiplied by the same number."""

    instance_noise: _Weight = 0
    """Standard deviation of noise on the discriminator's input. It falls to 0 at the end."""
    label_smoothing: float = Field(default=0, ge=0, lt=0.5)
    """Distance of the target for reals from 1 (bce)."""
    label_flips: float = Field(default=0, ge=0, lt=0.5)
    """Share of images with the wrong target for the discriminator (bce)."""
    mirror: bool
    """Flip a random half of the images left to right."""
    augment: _Share = 0
    """Probability of each differentiable augmentation of the discriminator's input."""
    augment_ramp: _Share = 0
    """Share of the budget over which that probability grows from 0."""
    balance: _Share = 0
    """0 shows every image equally often, 1 every class."""
    ema_half_life_images: _Weight
    """Half-life of the averaged generator weights; at most 5% of the images seen."""

    guard: bool = True
    """Measure the run, ship its best snapshot, and roll back when training fails."""
    patience: float = Field(default=1, gt=0, le=1)
    """Stop early after this share of the budget without a better Frechet distance; 1 never stops early."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        given = [name for name in BUDGETS if getattr(self, name) is not None]
        # A recipe file holds one budget, and a command line replaces it as a whole.
        if len(given) != 1:
            raise ValueError(
                f"a recipe has exactly one budget of {', '.join(BUDGETS)}; this one has {' and '.join(given) or 'none'}"
            )
        if self.objective != "bce" and (self.label_smoothing or self.label_flips):
            raise ValueError(f"label_smoothing and label_flips are for the objective bce, not for {self.objective}")
        if self.gradient_penalty and self.gamma:
            raise ValueError("gradient_penalty and gamma are two kinds of penalty: one of them must be 0")
        if self.patience < 1 and not self.guard:
            raise ValueError("patience waits for a better Frechet distance, and guard = false measures none")
        if (self.gradient_penalty or self.gamma) and self.architecture == "dcgan" and self.discriminator_norm:
            raise ValueError("gradient_penalty and gamma are per image: they need discriminator_norm = false")
        return self


def names() -> list[str]:
    """Return the names of the recipes that ship with the package."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load(name: str, overrides: dict[str, str] | None = None, budget: Mapping[str, float] | None = None) -> Recipe:
    """Read a recipe by name. `overrides` are TOML texts; `budget` replaces its budget.

    Raises RecipeError for an unknown recipe, an unknown key or a value out of range.
    """
    path = _FOLDER / f"{name}.toml"
    if name not in names():
        raise RecipeError(f"no recipe {name!r}; there are: {', '.join(names())}")
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    for key, text in (overrides or {}).items():
        values[key] = _value(key, text)
    if budget:
        # The file's budget would otherwise stand beside the new one.
        values = {key: value for key, value in values.items() if key not in BUDGETS}
    return checked(values | dict(budget or {}))


def with_budget(recipe: Recipe, budget: Mapping[str, float]) -> Recipe:
    """Return a recipe with another budget. Raises RecipeError for a value out of range."""
    return checked({key: value for key, value in recipe.model_dump().items() if key not in BUDGETS} | dict(budget))


def checked(values: Mapping[str, object]) -> Recipe:
    """Create a recipe from its values. Raises RecipeError for an unknown key or a value out of range."""
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise RecipeError("; ".join(map(_fault, error.errors()))) from error


def _fault(fault: Mapping[str, object]) -> str:
    place = ".".join(map(str, fault["loc"]))  # type: ignore[call-overload]
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        return f"{place}: not a value of a recipe; {_nearest(place)}"
    return f"{place}: {message}, got {fault['input']!r}" if place else message


def _nearest(key: str) -> str:
    keys = sorted(Recipe.model_fields)
    # A key that ends another one counts as near, too: lr stands for two of them.
    near = get_close_matches(key, keys, n=3) or [known for known in keys if key.lower() in known.split("_")]
    return f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(keys)}"


def _value(key: str, text: str) -> object:
    """Parse a value as TOML, as a Python literal (True, .5), or as a bare word."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", text):
        return text  # also true and inf, which pydantic converts to a boolean or a number
    with suppress(tomllib.TOMLDecodeError):
        return tomllib.loads(f"value = {text}")["value"]
    with suppress(ValueError, SyntaxError):
        return ast.literal_eval(text)
    raise RecipeError(f"{key}: {text!r} is not a number, a word, true, false or a list of them")
