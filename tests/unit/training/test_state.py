from pathlib import Path

import pytest
import torch

from models import safetensors_file
from models.registry import Architecture
from training import networks, recipe, state
from training.errors import StateError
from training.networks import Networks
from training.state import Position

RECIPE = recipe.load("dcgan", {"latent_dim": "8", "generator_channels": "2", "discriminator_channels": "2"})
BEGUN = Position(name="pets-32", recipe_name="dcgan", recipe=RECIPE, dataset_sha256="0", seed=0)


def fresh() -> Networks:
    architecture = Architecture(name="dcgan", resolution=32, latent_dim=8, channels=2, classes=0)
    return networks.build(RECIPE, architecture, 0, torch.device("cpu"))


def test_a_state_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    state.save(tmp_path / "state", BEGUN, fresh(), torch.arange(6.0))
    position, sums = state.restore(tmp_path / "state", fresh())
    assert position == BEGUN
    assert torch.equal(sums, torch.arange(6.0))


def test_a_state_of_another_kind_of_device_is_refused(tmp_path: Path) -> None:
    made = fresh()
    state.save(tmp_path / "state", BEGUN, made, torch.zeros(6))
    position, tensors = safetensors_file.read(tmp_path / "state", state._KEY, Position, state.FORMAT_VERSION)
    of_a_gpu = tensors | {"random": torch.zeros(16, dtype=torch.uint8)}
    safetensors_file.write(tmp_path / "state", state._KEY, position, of_a_gpu)
    with pytest.raises(StateError, match="began on another type of device than cpu"):
        state.restore(tmp_path / "state", made)
