"""Steps whose inputs stay in place, as a recording needs them, against plain steps. All on a CPU, where nothing is
recorded: the recorder of these tests replays a step by taking it again."""

import logging

import pytest
import torch
from torch import Tensor

from models.registry import Architecture
from training import networks, recipe, schedule
from training.networks import Networks
from training.recipe import Recipe
from training.recorded_steps import RecordedSteps, TakeStep
from training.step import Batch, StepSettings, train_step

CPU = torch.device("cpu")
STEPS = 10
SMALL = {"generator_channels": "4", "discriminator_channels": "4", "batch": "4", "latent_dim": "8"}
LAZY = {"penalty_every_steps": "4"}


class EagerRecorder:
    """Counts the recordings, and replays a step by taking it."""

    def __init__(self) -> None:
        self.recordings = self.eager = 0

    def run(self, step: TakeStep) -> Tensor:
        self.eager += 1
        return step()

    def record(self, step: TakeStep) -> TakeStep:
        self.recordings += 1
        return step


class BrokenRecorder(EagerRecorder):
    """Fails in the middle of a step, after the generator's update has frozen the discriminator."""

    def __init__(self, trained: Networks) -> None:
        super().__init__()
        self._trained = trained

    def record(self, step: TakeStep) -> TakeStep:
        super().record(step)
        self._trained.discriminator.requires_grad_(False)
        raise RuntimeError("operation not permitted when stream is capturing")


def recipe_of(name: str) -> Recipe:
    return recipe.load(name, SMALL | (LAZY if name == "residual" else {}))


def networks_of(resolved: Recipe) -> Networks:
    architecture = Architecture(
        name=resolved.architecture,
        resolution=32,
        latent_dim=8,
        channels=4,
        classes=0 if resolved.labels == "ignore" else 2,
        sphere=resolved.sphere,
    )
    return networks.build(resolved, architecture, 5, CPU)


def batches(resolved: Recipe, step: int) -> list[Batch]:
    generator = torch.Generator().manual_seed(step)
    labels = None if resolved.labels == "ignore" else torch.randint(0, 2, (4,), generator=generator)
    real = (torch.rand(4, 3, 32, 32, generator=generator) for _ in range(resolved.discriminator_steps))
    return [Batch(images.contiguous(memory_format=torch.channels_last), labels) for images in real]


def take(steps: RecordedSteps, resolved: Recipe, step: int) -> Tensor:
    values = schedule.values_at(resolved, step / STEPS)
    return steps.take(batches(resolved, step), values, step, 4 * (step + 1)).clone()


def weights(trained: Networks) -> dict[str, Tensor]:
    parts = {"g": trained.generator, "d": trained.discriminator, "a": trained.average}
    return {f"{name}.{key}": value for name, part in parts.items() for key, value in part.state_dict().items()}


@pytest.mark.parametrize("name", recipe.names())
def test_steps_with_inputs_in_place_learn_what_plain_steps_learn(name: str) -> None:
    resolved, recorder = recipe_of(name), EagerRecorder()
    settings = StepSettings(resolved, CPU, torch.float32)
    plain, steady = networks_of(resolved), networks_of(resolved)
    steps = RecordedSteps(steady, settings, recorder)
    for step in range(STEPS):
        values = schedule.values_at(resolved, step / STEPS)
        expected = train_step(plain, settings, batches(resolved, step), values, step, 4 * (step + 1))
        assert torch.equal(take(steps, resolved, step), expected), step
    for key, value in weights(plain).items():
        assert torch.equal(value, weights(steady)[key]), key
    assert torch.equal(plain.random.generator.get_state(), steady.random.generator.get_state())
    assert recorder.recordings
    assert recorder.eager < STEPS


def test_a_step_with_a_lazy_penalty_is_recorded_beside_one_without() -> None:
    resolved, recorder = recipe_of("residual"), EagerRecorder()
    trained = networks_of(resolved)
    steps = RecordedSteps(trained, StepSettings(resolved, CPU, torch.float32), recorder)
    for step in range(20):
        steps.take(batches(resolved, step), schedule.values_at(resolved, 0.5), step, 4 * (step + 1))
    assert recorder.recordings == 2
    assert recorder.eager == 6


def test_forgotten_steps_are_recorded_again() -> None:
    resolved, recorder = recipe_of("dcgan"), EagerRecorder()
    steps = RecordedSteps(networks_of(resolved), StepSettings(resolved, CPU, torch.float32), recorder)
    for turn in range(2):
        for step in range(4):
            take(steps, resolved, step)
        assert recorder.recordings == turn + 1
        steps.forget()


def test_a_step_that_cannot_be_recorded_is_taken_kernel_by_kernel(caplog: pytest.LogCaptureFixture) -> None:
    resolved = recipe_of("dcgan")
    settings = StepSettings(resolved, CPU, torch.float32)
    plain, trained = networks_of(resolved), networks_of(resolved)
    recorder = BrokenRecorder(trained)
    steps = RecordedSteps(trained, settings, recorder)
    with caplog.at_level(logging.WARNING):
        found = [take(steps, resolved, step) for step in range(STEPS)]
    for step in range(STEPS):
        values = schedule.values_at(resolved, step / STEPS)
        assert torch.equal(
            found[step], train_step(plain, settings, batches(resolved, step), values, step, 4 * step + 4)
        )
    assert recorder.recordings == 1
    assert caplog.messages == [
        "the training step was not recorded, and runs slower reason=operation not permitted when stream is capturing"
    ]
