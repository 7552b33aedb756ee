"""Recorded steps. The form that a GPU records computes the same weights on a CPU, to the bit."""

import pytest
import torch

from models.registry import Architecture
from training import networks, recipe, schedule, state
from training.networks import Networks
from training.recipe import Recipe
from training.step import Batch, StepSettings
from training.step_runner import StepRunner

CPU = torch.device("cpu")
STEPS, BATCH = 6, 4
SMALL = {"latent_dim": 8, "generator_channels": 4, "discriminator_channels": 4, "batch": BATCH}


def recipe_of(name: str, **values: object) -> Recipe:
    return recipe.checked(recipe.load(name).model_dump() | SMALL | values)


RECIPES = [
    recipe_of("dcgan"),
    recipe_of("flagship"),
    recipe_of("cgan"),
    recipe_of("wgan"),
    recipe_of("wgan-gp"),
    recipe_of("residual", gamma=1.0, augment=0.5, augment_ramp=0.5, instance_noise=0.1, penalty_every_steps=2),
]
IDS = ["dcgan", "flagship", "cgan", "wgan", "wgan-gp", "residual"]


def train(resolved: Recipe, device: torch.device = CPU, *, is_recorded: bool) -> tuple[Networks, list[torch.Tensor]]:
    architecture = Architecture(name=resolved.architecture, resolution=32, latent_dim=8, channels=4, classes=2)
    made = networks.build(resolved, architecture, 5, device)
    runner = StepRunner(made, StepSettings(resolved, device, torch.float32), is_recorded=is_recorded)
    images = torch.rand(STEPS, BATCH, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    images = images.to(device).contiguous()
    labels = (torch.arange(BATCH) % 2).to(device)
    summaries = []
    for step in range(STEPS):
        batches = [Batch(images[(step + k) % STEPS], labels) for k in range(resolved.discriminator_steps)]
        values = schedule.values_at(resolved, step / STEPS)
        summaries.append(runner.take_step(batches, values, step, (step + 1) * BATCH).clone())
    return made, summaries


@pytest.mark.parametrize("resolved", RECIPES, ids=IDS)
def test_a_step_that_reads_its_values_from_tensors_learns_the_same_weights(resolved: Recipe) -> None:
    check(train(resolved, is_recorded=False), train(resolved, is_recorded=True))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("resolved", RECIPES, ids=IDS)
def test_a_replayed_step_learns_the_weights_of_plain_steps(resolved: Recipe) -> None:
    gpu = torch.device("cuda")
    check(train(resolved, gpu, is_recorded=False), train(resolved, gpu, is_recorded=True))


def check(first: tuple[Networks, list[torch.Tensor]], second: tuple[Networks, list[torch.Tensor]]) -> None:
    (plain, summaries), (recorded, again) = first, second
    for name in ("generator", "discriminator", "average"):
        found = getattr(recorded, name).state_dict()
        for key, value in getattr(plain, name).state_dict().items():
            assert torch.equal(value, found[key]), f"{name}.{key}"
    assert all(map(torch.equal, summaries, again))


def test_a_forgotten_recording_is_made_again_for_the_tensors_of_a_restored_optimiser(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    resolved = recipe_of("dcgan")
    made, _ = train(resolved, is_recorded=True)
    path = tmp_path_factory.mktemp("state") / "state.safetensors"
    position = state.Position(name="x", recipe_name="dcgan", recipe=resolved, dataset_sha256="0" * 64, seed=5)
    state.save(path, position, made, torch.zeros(6))
    optimiser = made.generator_optimiser
    before = [moments["exp_avg"] for moments in optimiser.state.values()]
    state.restore(path, made)
    after = [moments["exp_avg"] for moments in optimiser.state.values()]
    # This is why `roll_back` forgets: a replay would write to tensors that no optimiser has.
    assert not any(old is new for old, new in zip(before, after, strict=True))
