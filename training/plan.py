"""What a run is asked to do: put together from the command line, or read back from a run's folder."""

import re
from dataclasses import dataclass
from pathlib import Path

import torch

from models.checkpoint import MODEL_NAME
from training import networks, recipe, state
from training.dataset.store import Dataset
from training.errors import RecipeError, StateError
from training.recipe import Recipe

STATE = "state.safetensors"


@dataclass(frozen=True)
class Plan:
    """A run before its first step."""

    name: str
    """Of the model that comes out."""
    recipe_name: str
    recipe: Recipe
    dataset: Dataset
    seed: int
    device: torch.device


@dataclass(frozen=True)
class Changes:
    """What the command line changes of a recipe."""

    epochs: float | None = None
    images: int | None = None
    """Budget in images seen; excludes `epochs`."""
    values: tuple[str, ...] = ()
    """KEY=VALUE, the value being TOML."""


def fresh(
    dataset: Dataset, recipe_name: str, changes: Changes, seed: int, device: torch.device, name: str | None
) -> Plan:
    """Plan a new run. Raises RecipeError for an unknown recipe or a value that it may not hold."""
    model = name or _slug(f"{dataset.description.name}-{dataset.description.resolution}")
    if not re.fullmatch(MODEL_NAME, model):
        raise RecipeError(f"a model's name matches {MODEL_NAME}, got {model!r}")
    resolved = _budgeted(recipe.load(recipe_name, _pairs(changes.values)), changes, dataset.description.count)
    networks.architecture_of(resolved, dataset.description.resolution, len(dataset.description.classes))
    return Plan(model, recipe_name, resolved, dataset, seed, device)


def resumed(dataset: Dataset, folder: Path, device: torch.device) -> Plan:
    """Plan to go on with the run in a folder. Raises StateError when there is none, or it knew other data."""
    position = state.read_position(folder / STATE)
    if position.dataset_sha256 != dataset.description.sha256:
        raise StateError(f"{folder}: was trained on other data than {dataset.description.name}")
    return Plan(position.name, position.recipe_name, position.recipe, dataset, position.seed, device)


def device_named(name: str | None) -> torch.device:
    """Find a device; without a name, a GPU where there is one. Raises RecipeError when it cannot be used."""
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:
        raise RecipeError(f"no device {name!r} here ({str(error).partition('. ')[0].splitlines()[0]})") from error
    return device


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:64]


def _budgeted(resolved: Recipe, changes: Changes, count: int) -> Recipe:
    if changes.epochs is not None and changes.images is not None:
        raise RecipeError("a budget is given in epochs or in images, not in both")
    batch = min(resolved.batch, count)
    in_epochs = changes.images / (count // batch * batch) if changes.images is not None else changes.epochs
    return resolved if in_epochs is None else recipe.checked(resolved.model_dump() | {"epochs": in_epochs})


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    for text in texts:
        if "=" not in text:
            raise RecipeError(f"a change is KEY=VALUE, got {text!r}")
    return {key: value for key, _, value in (text.partition("=") for text in texts)}
