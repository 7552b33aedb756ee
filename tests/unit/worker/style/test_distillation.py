import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.tiny import CLASSES, save_checkpoint, vgg19_tensors
from worker.errors import DivergedError
from worker.rendering.engine import LoadedModel, RenderEngine
from worker.style import distillation
from worker.style.distillation import Distillation, opened, restyled, sealed
from worker.style.gatys import Settings, StyleTransfer
from worker.style.portions import Portions
from worker.style.vgg import Vgg19

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    folder = tmp_path_factory.mktemp("models")
    save_checkpoint(folder, "labelled", CLASSES)
    runtime = RenderEngine(folder.iterdir(), CPU)
    return runtime.model(runtime.entries[0])


@pytest.fixture(scope="module")
def transfer() -> StyleTransfer:
    network = Vgg19(vgg19_tensors(), torch.float32, CPU)
    return StyleTransfer(network, torch.rand(3, 40, 40), Settings(least=32))


def student(model: LoadedModel, transfer: StyleTransfer, steps: int = 4, threads: int = 1) -> Distillation:
    return Distillation(
        model, transfer, 1.0, steps, ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    )


def weights(learner: Distillation) -> list[Tensor]:
    return list(learner.generator.state_dict().values())


def equal(one: Distillation, other: Distillation) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


def test_what_is_learnt_depends_neither_on_threads_nor_on_a_rest(
    model: LoadedModel, transfer: StyleTransfer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distillation, "_DIFFERENCE", 1.5)  # so that all are more alike than they may be
    straight, rested = student(model, transfer), student(model, transfer, threads=3)
    for _ in range(4):
        straight.step()
    for _ in range(2):
        rested.step()
    again = student(model, transfer)
    state = opened(sealed(rested.state()))
    assert state is not None
    again.resume(state)
    assert again.share == 0.5
    for _ in range(2):
        again.step()
    assert again.share == straight.share == 1
    assert equal(straight, again)
    assert not equal(straight, student(model, transfer))


@pytest.mark.parametrize(("difference", "is_heard"), [(0.0, False), (1.5, True)])
def test_who_looks_too_much_like_the_others_is_told(
    model: LoadedModel, transfer: StyleTransfer, monkeypatch: pytest.MonkeyPatch, difference: float, is_heard: bool
) -> None:
    monkeypatch.setattr(distillation, "_DIFFERENCE", difference)
    learners = []
    for weight in (0.0, 2.0):
        monkeypatch.setattr(distillation, "_ALIKE_WEIGHT", weight)
        learners.append(student(model, transfer))
        learners[-1].step()
    assert equal(*learners) != is_heard


def test_what_is_kept_is_the_average_of_what_was_learnt(model: LoadedModel, transfer: StyleTransfer) -> None:
    learner = student(model, transfer)
    states = []
    for _ in range(4):
        learner.step()
        states.append(opened(sealed(learner.state())) or {})
    names = [name for name in states[0] if name.startswith("weight.")]
    assert names
    for name in names:
        mean = torch.stack([state[name] for state in states]).mean(0)
        torch.testing.assert_close(states[-1][name.replace("weight.", "average.")], mean, rtol=1e-5, atol=1e-6)
        assert not torch.equal(mean, states[-1][name])


def test_what_is_learnt_lowers_the_loss_of_images_that_were_not_seen(
    model: LoadedModel, transfer: StyleTransfer
) -> None:
    learner = student(model, transfer, 30)
    z, labels = model.latents(7, range(16)).float(), model.label_tensor(model.labels(range(16)))
    images = (model.original()(z, labels) + 1) / 2

    def loss() -> float:
        with torch.no_grad():
            return float(transfer.objective(images, (learner.generator(z, labels) + 1) / 2, 1.0)[0].mean())

    before = loss()
    for _ in range(30):
        learner.step()
    assert loss() < 0.8 * before


def test_a_model_that_has_learnt_renders_its_images(model: LoadedModel, transfer: StyleTransfer) -> None:
    learner = student(model, transfer)
    learner.step()
    indices = range(model.batch_size)
    z, labels = model.latents(7, indices), model.labels(indices)
    plain, styled = model.render(z, labels), restyled(model, learner.generator.state_dict()).render(z, labels)
    assert plain.shape == styled.shape
    assert not torch.equal(plain, styled)
    assert torch.equal(plain, model.render(z, labels))


def test_values_that_are_no_numbers_are_tried_again_more_slowly(
    model: LoadedModel, transfer: StyleTransfer, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = student(model, transfer)
    learner.step()
    real = transfer.objective

    def broken(*arguments: Any) -> tuple[Tensor, Tensor]:
        losses, looks = real(*arguments)
        return losses * math.nan, looks

    monkeypatch.setattr(transfer, "objective", broken)
    learner.step()
    assert learner.share == 0
    learner.step()
    with pytest.raises(DivergedError, match="3 times"):
        learner.step()
    monkeypatch.undo()


@pytest.mark.parametrize("spoil", [lambda data: data[:-1], lambda data: data[:-1] + b"\1"])
def test_what_was_spoilt_is_not_opened(spoil: Any) -> None:
    data = sealed({"a": torch.arange(3.0), "b": torch.zeros(2, 2, dtype=torch.uint8)})
    found = opened(data)
    assert found is not None
    assert torch.equal(found["a"], torch.arange(3.0))
    assert opened(spoil(data)) is None
    assert opened(None) is None
    assert opened(b"") is None


def test_a_device_that_runs_out_of_memory_gets_half_as_much_at_once() -> None:
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
