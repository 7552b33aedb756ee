"""A recipe is data: the networks, the objective, the optimiser and the budget of a run."""

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
"""Of which a recipe has one."""
_FOLDER = Path(__file__).parent / "recipes"

_Beta = Annotated[float, Field(ge=0, lt=1)]
_Share = Annotated[float, Field(ge=0, le=1)]
_Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Channels = Annotated[int, Field(ge=1, le=512)]


class Recipe(BaseModel):
    """Everything that decides how a run goes, apart from its data and its seed.

    Where a value changes over the run, the change is spread over the budget, whatever that is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: Literal["dcgan", "residual"]
    objective: Literal["bce", "wasserstein", "relativistic"]
    labels: Literal["ignore", "use", "need"] = "use"
    """Whether a dataset's classes make the model conditional; `need` refuses a dataset without."""
    latent_dim: int = Field(ge=1, le=1024)
    sphere: bool = False
    """Draw latents from a sphere instead of a normal distribution."""
    generator_channels: _Channels
    discriminator_channels: _Channels
    discriminator_norm: bool = True
    """Batch norm in the discriminator (dcgan)."""
    projection: bool = False
    """Let the label enter the discriminator by projection rather than as an input plane (dcgan)."""

    batch: int = Field(ge=2, le=65_536)
    discriminator_steps: int = Field(default=1, ge=1, le=100)
    """Per generator step."""
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
    """Share of the learning rates that is left at the end of a cosine; 1 keeps them."""
    betas: tuple[_Beta, _Beta] = (0.5, 0.999)
    """Of Adam."""
    clip: _Weight = 0
    """Largest weight of the discriminator after each of its steps; 0 does not clip."""
    gradient_penalty: _Weight = 0
    """Lambda of the penalty between reals and fakes (WGAN-GP)."""
    gamma: _Weight = 0
    """Weight of the zero-centred penalties R1 and R2 at the start."""
    final_gamma: _Weight = 0
    """The same from half of the budget on; 0 keeps gamma."""
    penalty_every_steps: int = Field(default=1, ge=1)
    """How lazily R1 and R2 are computed; their weight makes up for it."""

    instance_noise: _Weight = 0
    """Standard deviation of noise on the discriminator's input, fading to 0 at the end."""
    label_smoothing: float = Field(default=0, ge=0, lt=0.5)
    """How far below 1 the target for reals is (bce)."""
    label_flips: float = Field(default=0, ge=0, lt=0.5)
    """Share of images that are shown to the discriminator under the wrong target (bce)."""
    mirror: bool
    """Show each image also flipped left to right."""
    augment: _Share = 0
    """Probability of each differentiable augmentation of the discriminator's input."""
    augment_ramp: _Share = 0
    """Share of the budget over which that probability grows from 0."""
    balance: _Share = 0
    """0 shows every image equally often, 1 every class."""
    ema_half_life_images: _Weight
    """Of the average of the generator's weights; never more than 5% of the images seen."""

    guard: bool = True
    """Measure the run as it goes, ship its best snapshot, roll back and adapt when training goes wrong."""
    patience: float = Field(default=1, gt=0, le=1)
    """Share of the budget without a better Frechet distance after which the run stops early; 1 never does."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        given = [name for name in BUDGETS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"a budget is one of {', '.join(BUDGETS)}; this one has {' and '.join(given) or 'none'}")
        if self.objective != "bce" and (self.label_smoothing or self.label_flips):
            raise ValueError(f"label_smoothing and label_flips are for the objective bce, not for {self.objective}")
        if self.gradient_penalty and self.gamma:
            raise ValueError("gradient_penalty and gamma are two kinds of penalty: one of them is 0")
        if self.patience < 1 and not self.guard:
            raise ValueError("patience waits for a better Frechet distance, and guard = false measures none")
        if (self.gradient_penalty or self.gamma) and self.architecture == "dcgan" and self.discriminator_norm:
            raise ValueError("gradient_penalty and gamma are per image: they need discriminator_norm = false")
        return self


def names() -> list[str]:
    """List the recipes that ship with the package."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load(name: str, overrides: dict[str, str] | None = None, budget: Mapping[str, float] | None = None) -> Recipe:
    """Read a recipe by name and change single values, given as TOML text; `budget` replaces its budget.

    Raises RecipeError for an unknown recipe, an unknown key or a value out of range.
    """
    path = _FOLDER / f"{name}.toml"
    if name not in names():
        raise RecipeError(f"no recipe {name!r}; there are: {', '.join(names())}")
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    for key, text in (overrides or {}).items():
        values[key] = _value(key, text)
    if budget:
        values = {key: value for key, value in values.items() if key not in BUDGETS}
    return checked(values | dict(budget or {}))


def with_budget(recipe: Recipe, budget: Mapping[str, float]) -> Recipe:
    """Give a recipe another budget. Raises RecipeError for a value out of range."""
    return checked({key: value for key, value in recipe.model_dump().items() if key not in BUDGETS} | dict(budget))


def checked(values: Mapping[str, object]) -> Recipe:
    """Make a recipe of its values. Raises RecipeError for an unknown key or a value out of range."""
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise RecipeError("; ".join(map(_fault, error.errors()))) from error


def _fault(fault: Mapping[str, object]) -> str:
    place = ".".join(map(str, fault["loc"]))  # type: ignore[call-overload]
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        return f"{place}: no value of a recipe; {_nearest(place)}"
    return f"{place}: {message}, got {fault['input']!r}" if place else message


def _nearest(key: str) -> str:
    keys = sorted(Recipe.model_fields)
    # A key that ends another one counts as near, too: lr stands for two of them.
    near = get_close_matches(key, keys, n=3) or [known for known in keys if key.lower() in known.split("_")]
    return f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(keys)}"


def _value(key: str, text: str) -> object:
    """Read a value as TOML, as Python writes it (True, .5), or as a bare word."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", text):
        return text  # also true and inf: the recipe's types turn words into what they want
    with suppress(tomllib.TOMLDecodeError):
        return tomllib.loads(f"value = {text}")["value"]
    with suppress(ValueError, SyntaxError):
        return ast.literal_eval(text)
    raise RecipeError(f"{key}: {text!r} is no number, word, true, false or list of them")
