"""The whole state of a run in one safetensors file. A resumed run equals a run that was never stopped.

On a CPU they are equal bit for bit. On a GPU, kernels may add in a different order.
"""

from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor
from torch.optim import Optimizer

from models import safetensors_file
from models.errors import ModelError
from training.errors import StateError
from training.guard import GuardState
from training.networks import Networks
from training.recipe import Recipe

FORMAT_VERSION = 2
_KEY = "imagemill-state"


class Best(BaseModel):
    """The snapshot with the least Frechet distance so far. It is published."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fd: float
    step: int
    progress: float
    """Share of the budget that was spent at that step."""


class Position(BaseModel):
    """The identity of a run, and how far it has trained."""

    # JSON has no words for NaN and infinity: they become strings, so that a state that holds one can be read.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    format_version: int = FORMAT_VERSION
    name: str
    recipe_name: str
    recipe: Recipe
    dataset_sha256: str
    seed: int
    begun_from: str | None = None
    """Source of the initial weights; None for random weights."""
    classes: tuple[str, ...] | None = None
    """Classes of the data in label order; None in older states."""
    earlier_budgets: tuple[str, ...] = ()
    """Each replaced budget, with the step at which it was replaced."""
    step: int = 0
    steps_in_epoch: int = 0
    """Number of steps in the running sums."""
    seconds: float = 0.0
    memory: GuardState = GuardState()
    best: Best | None = None
    figures: dict[str, float] = {}
    """Figures of the last check, for the log line of the current epoch."""
    events: tuple[str, ...] = ()
    """Interventions of the guard, for the log line of the current epoch."""


def save(path: Path, position: Position, networks: Networks, sums: Tensor) -> None:
    """Write the state, whole or not at all. `sums` (6,) are the running sums of the current epoch."""
    # The running sums and the random stream are part of an exact resume.
    tensors = {"sums": sums, "random": networks.random.generator.get_state()}
    for name, network in _networks(networks).items():
        tensors |= {f"{name}.{key}": value for key, value in network.state_dict().items()}
    for name, optimiser in _optimisers(networks).items():
        for index, moments in optimiser.state_dict()["state"].items():
            tensors |= {f"{name}.{index}.{key}": value for key, value in moments.items()}
    safetensors_file.write(path, _KEY, position, tensors)


def read_position(path: Path) -> Position:
    """Read the position from a state. Raises StateError when the file is not a state of this version."""
    try:
        return safetensors_file.read_header(path, _KEY, Position, FORMAT_VERSION)
    except ModelError as error:
        raise StateError(f"not the state of a training run: {error}") from error


def restore(path: Path, networks: Networks) -> tuple[Position, Tensor]:
    """Load a state into new networks. Returns the position and the running sums (6,)."""
    position, tensors = read(path)
    try:
        for name, network in _networks(networks).items():
            network.load_state_dict(tensors_of(tensors, name))
        for name, optimiser in _optimisers(networks).items():
            _restore_optimiser(optimiser, tensors_of(tensors, name))
    except (RuntimeError, ValueError, KeyError) as error:
        raise StateError(f"{path}: does not fit this recipe ({_first_line(error)})") from error
    _restore_random(networks.random.generator, tensors["random"])
    return position, tensors["sums"]


def read(path: Path) -> tuple[Position, dict[str, Tensor]]:
    """Read a state. Raises StateError when the file is not a state of this version."""
    try:
        return safetensors_file.read(path, _KEY, Position, FORMAT_VERSION)
    except ModelError as error:
        raise StateError(f"not the state of a training run: {error}") from error


def _first_line(error: Exception) -> str:
    """Return the first fault of an error. The tensor library can list a page of them."""
    lines = [line.strip() for line in str(error).splitlines() if not line.startswith("Error(s) in loading")]
    return lines[0].rstrip(".") if lines else type(error).__name__


def _restore_random(generator: torch.Generator, found: Tensor) -> None:
    try:
        generator.set_state(found)
    except RuntimeError as error:
        kind = generator.device.type
        raise StateError(
            f"this run began on another type of device than {kind}; choose that type with --device"
        ) from error


def _restore_optimiser(optimiser: Optimizer, tensors: dict[str, Tensor]) -> None:
    parameters = optimiser.param_groups[0]["params"]
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        # Keys are "<parameter index>.<moment>", as `save` wrote them.
        index, moment = key.split(".", 1)
        state.setdefault(int(index), {})[moment] = _with_layout_of(parameters[int(index)], value)
    # Learning rates come from the recipe's schedule, so the saved groups are not needed.
    whole: dict[str, Any] = {"state": state, "param_groups": optimiser.state_dict()["param_groups"]}
    optimiser.load_state_dict(whole)


def _with_layout_of(parameter: Tensor, value: Tensor) -> Tensor:
    # A fused optimiser walks weights and moments side by side in memory, whatever their strides say.
    return torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value


def _networks(networks: Networks) -> dict[str, torch.nn.Module]:
    return {"generator": networks.generator, "discriminator": networks.discriminator, "average": networks.average}


def _optimisers(networks: Networks) -> dict[str, Optimizer]:
    return {
        "generator_optimiser": networks.generator_optimiser,
        "discriminator_optimiser": networks.discriminator_optimiser,
    }


def tensors_of(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    """Return the tensors of one network, by their names within it."""
    return {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}
