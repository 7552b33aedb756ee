"""The plan of a run, from the command line or from the folder of an earlier run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from models.checkpoint import MODEL_NAME
from models.registry import GATE_SUFFIX
from training import networks, recipe, state
from training.dataset import dataset_files, default_names
from training.dataset.dataset_files import Dataset
from training.errors import RecipeError, StateError
from training.recipe import Recipe

STATE = "state.safetensors"


@dataclass(frozen=True)
class RunPlan:
    """The settings of a run."""

    name: str
    """Name of the trained model."""
    recipe_name: str
    recipe: Recipe
    dataset: Dataset
    data: Path
    """Folder of the dataset."""
    seed: int
    device: torch.device
    begin_from: Path | None = None
    """State of another run, or a checkpoint, with the initial weights."""


@dataclass(frozen=True)
class Changes:
    """Changes of a recipe on the command line."""

    epochs: float | None = None
    images: int | None = None
    minutes: float | None = None
    values: tuple[str, ...] = ()
    """KEY=VALUE, with the value as TOML."""

    @property
    def budget(self) -> dict[str, float]:
        """The budget that replaces the recipe's, if any. Raises RecipeError when several are given."""
        given = {name: getattr(self, name) for name in recipe.BUDGETS if getattr(self, name) is not None}
        if len(given) > 1:
            raise RecipeError(f"a budget is given in {' or '.join(given)}, not in both")
        return given


def plan_new_run(
    data: Path,
    recipe_name: str,
    changes: Changes,
    seed: int,
    device: torch.device,
    name: str | None,
    begin_from: Path | None = None,
) -> RunPlan:
    """Plan a new run. Its initial weights come from the file `begin_from`, if one is given.

    Raises RecipeError for an unknown recipe or a value out of range.
    """
    dataset = dataset_files.load(data)
    model = name or default_names.of_model(dataset.description.name, dataset.description.resolution)
    if not re.fullmatch(MODEL_NAME, model):
        raise RecipeError(f"a model's name must match {MODEL_NAME}, got {model!r}")
    if f"{model}.safetensors".endswith(GATE_SUFFIX):
        raise RecipeError(
            f"a model's name must not end with .gate, because workers take its file for a gate, got {model!r}"
        )
    pairs = _pairs(changes.values)
    if twice := [name for name in recipe.BUDGETS if name in pairs] if changes.budget else []:
        raise RecipeError(f"a budget is given twice: --set {twice[0]} and --{next(iter(changes.budget))}")
    resolved = recipe.load(recipe_name, pairs, changes.budget)
    # Raises early, before a run folder is created.
    networks.architecture_of(resolved, dataset.description)
    return RunPlan(model, recipe_name, resolved, dataset, data, seed, device, begin_from)


def plan_resumed_run(
    data: Path, folder: Path, device: torch.device, new_budget: Mapping[str, float] | None = None
) -> RunPlan:
    """Plan to resume the run in a folder, with a new budget if one is given.

    Raises StateError when the folder has no run, or a run on other data.
    """
    dataset = dataset_files.load(data)
    position = state.read_position(folder / STATE)
    if position.dataset_sha256 != dataset.description.sha256:
        raise StateError(f"{folder}: was trained on other data than {dataset.description.name}")
    resolved = recipe.with_budget(position.recipe, new_budget) if new_budget else position.recipe
    return RunPlan(position.name, position.recipe_name, resolved, dataset, data, position.seed, device)


def check_run(folder: Path) -> None:
    """Raise StateError when a folder has no run."""
    state.read_position(folder / STATE)


def find_device(name: str | None) -> torch.device:
    """Return a device by name, by default a GPU if there is one. Raises RecipeError when it cannot be used."""
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
        # Naming a device does not touch it, so allocate on it to see whether it works.
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:
        raise RecipeError(
            f"no device {name!r} on this machine ({str(error).partition('. ')[0].splitlines()[0]})"
        ) from error
    return device


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    for text in texts:
        if "=" not in text:
            raise RecipeError(f"--set needs KEY=VALUE, got {text!r}")
    return {key.strip(): value.strip() for key, _, value in (text.partition("=") for text in texts)}
