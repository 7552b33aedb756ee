import pytest
import torch

from models.registry import Architecture
from training import check_interval, networks, recipe
from training.networks import Networks
from training.recipe import Recipe

CPU = torch.device("cpu")


def built(name: str, resolution: int, classes: int = 2) -> tuple[Recipe, Networks]:
    found = recipe.load(name)
    shape = Architecture(
        name=found.architecture,
        resolution=resolution,
        latent_dim=found.latent_dim,
        channels=found.generator_channels,
        classes=classes,
    )
    return found, networks.build(found, shape, 0, CPU)


@pytest.mark.parametrize("name", recipe.names())
def test_every_recipe_is_checked_after_a_number_of_steps_that_no_clock_has_a_part_in(name: str) -> None:
    found, made = built(name, 64)
    before = {key: value.clone() for key, value in made.generator.state_dict().items()}
    every = [check_interval.every_steps(found, made, found.batch, 2000) for _ in range(2)]
    assert every[0] == every[1] > 100
    assert all(torch.equal(before[key], value) for key, value in made.generator.state_dict().items())


def test_dearer_steps_and_cheaper_checks_bring_checks_nearer() -> None:
    found, small = built("flagship", 32, classes=0)
    _, large = built("flagship", 128, classes=0)
    assert (
        check_interval.every_steps(found, large, found.batch, 2000)
        < check_interval.every_steps(found, small, found.batch, 2000) / 4
    )
    assert (
        check_interval.every_steps(found, small, found.batch, 40)
        < check_interval.every_steps(found, small, found.batch, 2000) / 4
    )


def test_tiny_networks_are_not_left_alone_for_hours() -> None:
    found = recipe.load("dcgan", {"generator_channels": "4", "discriminator_channels": "4", "latent_dim": "8"})
    shape = Architecture(name="dcgan", resolution=32, latent_dim=8, channels=4, classes=0)
    assert check_interval.every_steps(found, networks.build(found, shape, 0, CPU), found.batch, 40) < 10_000
