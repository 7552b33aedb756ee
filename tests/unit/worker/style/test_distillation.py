import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from tests.tiny import CLASSES, save_checkpoint, vgg19_tensors
from worker.errors import DivergedError
from worker.rendering.engine import RenderEngine
from worker.rendering.loaded_model import LoadedModel
from worker.style.distillation import Distillation, with_weights
from worker.style.distillation_settings import DistillationSettings
from worker.style.gatys import GatysSettings, StyleTransfer
from worker.style.portions import Portions
from worker.style.tensor_bytes import deserialise, serialise
from worker.style.vgg import Vgg19

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
SETTINGS = DistillationSettings.for_device(CPU)


def looks_of(work: Callable[[], None]) -> int:
    """Count the reads of single numbers: on a GPU, each of them waits for the device."""
    with profile(activities=[ProfilerActivity.CPU]) as operators:
        work()
    return sum(event.count for event in operators.key_averages() if event.key == "aten::_local_scalar_dense")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    folder = tmp_path_factory.mktemp("models")
    save_checkpoint(folder, "labelled", CLASSES)
    runtime = RenderEngine(folder.iterdir(), CPU)
    return runtime.model(runtime.entries[0])


@pytest.fixture(scope="module")
def transfer() -> StyleTransfer:
    network = Vgg19(vgg19_tensors(), torch.float32, CPU)
    return StyleTransfer(network, torch.rand(3, 40, 40), GatysSettings(min_side=32))


def distillation_of(
    model: LoadedModel,
    transfer: StyleTransfer,
    steps: int = 4,
    threads: int = 1,
    settings: DistillationSettings = SETTINGS,
) -> Distillation:
    executor = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    return Distillation(model, transfer, 1.0, steps, executor, settings=settings)


def weights(training: Distillation) -> list[Tensor]:
    return list(training.generator.state_dict().values())


def equal(one: Distillation, other: Distillation) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


def test_a_distilled_model_depends_neither_on_threads_nor_on_a_pause(
    model: LoadedModel, transfer: StyleTransfer
) -> None:
    settings = replace(SETTINGS, kept_difference=1.5)  # so that all samples exceed the allowed similarity
    straight = distillation_of(model, transfer, settings=settings)
    paused = distillation_of(model, transfer, threads=3, settings=settings)
    for _ in range(4):
        straight.step()
    for _ in range(2):
        paused.step()
    again = distillation_of(model, transfer, settings=settings)
    state = deserialise(serialise(paused.state()))
    assert state is not None
    again.resume(state)
    assert again.progress == 0.5
    for _ in range(2):
        again.step()
    assert again.progress == straight.progress == 1
    assert equal(straight, again)
    assert not equal(straight, distillation_of(model, transfer))


def test_a_training_on_whole_batches_is_the_same_for_any_distance_of_its_checks(
    model: LoadedModel, transfer: StyleTransfer
) -> None:
    whole = replace(SETTINGS, portion_size=SETTINGS.batch_size)
    one_by_one = distillation_of(model, transfer, settings=whole)
    for _ in range(4):
        one_by_one.step()
    in_threes = distillation_of(model, transfer, settings=replace(whole, steps_per_check=3))
    in_threes.step()
    assert in_threes.progress == 0.75
    state = deserialise(serialise(in_threes.state()))
    assert state is not None
    in_threes.resume(state)
    in_threes.step()
    assert in_threes.progress == 1
    assert equal(one_by_one, in_threes)
    in_portions = distillation_of(model, transfer)
    for _ in range(4):
        in_portions.step()
    for one, other in zip(weights(one_by_one), weights(in_portions), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)  # sums of other orders


def test_more_steps_look_at_no_more_numbers(model: LoadedModel, transfer: StyleTransfer) -> None:
    looks = []
    for steps in (2, 6):
        settings = replace(SETTINGS, portion_size=SETTINGS.batch_size, steps_per_check=steps)
        training = distillation_of(model, transfer, 12, settings=settings)
        training.step()  # measures plain samples
        # On a CPU, Adam reads its counter of each weight. On a GPU its counters stay on the device.
        looks.append(looks_of(training.step) - steps * sum(name.startswith("weight.") for name in training.state()))
    assert looks[0] == looks[1] == 1


@pytest.mark.parametrize(("difference", "has_effect"), [(0.0, False), (1.5, True)])
def test_samples_that_are_too_similar_are_penalised(
    model: LoadedModel, transfer: StyleTransfer, difference: float, has_effect: bool
) -> None:
    trainings = []
    for weight in (0.0, 2.0):
        settings = replace(SETTINGS, kept_difference=difference, similarity_weight=weight)
        trainings.append(distillation_of(model, transfer, settings=settings))
        trainings[-1].step()
    assert equal(*trainings) != has_effect


def test_the_result_is_the_average_of_the_trained_weights(model: LoadedModel, transfer: StyleTransfer) -> None:
    training = distillation_of(model, transfer)
    states = []
    for _ in range(4):
        training.step()
        states.append(deserialise(serialise(training.state())) or {})
    names = [name for name in states[0] if name.startswith("weight.")]
    assert names
    for name in names:
        mean = torch.stack([state[name] for state in states]).mean(0)
        torch.testing.assert_close(states[-1][name.replace("weight.", "average.")], mean, rtol=1e-5, atol=1e-6)
        assert not torch.equal(mean, states[-1][name])


def test_training_lowers_the_loss_of_unseen_images(model: LoadedModel, transfer: StyleTransfer) -> None:
    training = distillation_of(model, transfer, 30)
    z, labels = model.latents(7, range(16)).float(), model.label_tensor(model.labels(range(16)))
    images = (model.load_original()(z, labels) + 1) / 2

    def loss() -> float:
        with torch.no_grad():
            return float(transfer.objective(images, (training.generator(z, labels) + 1) / 2, 1.0)[0].mean())

    before = loss()
    for _ in range(30):
        training.step()
    assert loss() < 0.8 * before


def test_a_distilled_model_renders_styled_images(model: LoadedModel, transfer: StyleTransfer) -> None:
    training = distillation_of(model, transfer)
    training.step()
    indices = range(model.batch_size)
    z, labels = model.latents(7, indices), model.labels(indices)
    plain, styled = model.render(z, labels), with_weights(model, training.generator.state_dict()).render(z, labels)
    assert plain.shape == styled.shape
    assert not torch.equal(plain, styled)
    assert torch.equal(plain, model.render(z, labels))


def test_training_that_diverged_restarts_with_a_smaller_learning_rate(
    model: LoadedModel, transfer: StyleTransfer, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = distillation_of(model, transfer)
    training.step()
    real = transfer.objective

    def broken(*arguments: Any) -> tuple[Tensor, Tensor]:
        losses, unit_features = real(*arguments)
        return losses * math.nan, unit_features

    monkeypatch.setattr(transfer, "objective", broken)
    training.step()
    assert training.progress == 0
    training.step()
    with pytest.raises(DivergedError, match="3 times"):
        training.step()
    monkeypatch.undo()


@pytest.mark.parametrize("corrupt", [lambda data: data[:-1], lambda data: data[:-1] + b"\1"])
def test_corrupted_tensors_are_not_deserialised(corrupt: Any) -> None:
    data = serialise({"a": torch.arange(3.0), "b": torch.zeros(2, 2, dtype=torch.uint8)})
    found = deserialise(data)
    assert found is not None
    assert torch.equal(found["a"], torch.arange(3.0))
    assert deserialise(corrupt(data)) is None
    assert deserialise(None) is None
    assert deserialise(b"") is None


def test_portions_are_halved_when_the_device_runs_out_of_memory() -> None:
    tried: list[range] = []

    def work(portion: range) -> int:
        tried.append(portion)
        if len(portion) > 2:
            raise torch.OutOfMemoryError
        return len(portion)

    halvings: list[None] = []
    portions = Portions(8, lambda: halvings.append(None))
    assert portions.map(work, range(3, 13)) == [2, 2, 2, 2, 2]
    assert tried[:3] == [range(3, 11), range(3, 7), range(3, 5)]
    assert len(halvings) == 2
    assert portions.map(work, range(3)) == [2, 1]
    with pytest.raises(torch.OutOfMemoryError):
        Portions(1).map(lambda _: (_ for _ in ()).throw(torch.OutOfMemoryError), range(1))
