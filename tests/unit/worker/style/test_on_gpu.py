"""Style transfer on a GPU: the same bits again, whether its steps are recorded or not."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import Tensor

from models.cuda_graph import RecordedWork
from tests.tiny import CLASSES, save_checkpoint, vgg19_tensors
from worker.rendering.engine import RenderEngine
from worker.style import gatys, whole_step
from worker.style.distillation import Distillation
from worker.style.gatys import GatysSettings, StyleTransfer
from worker.style.tensor_bytes import deserialise, serialise
from worker.style.vgg import Vgg19

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")]

STEPS = 34


@pytest.fixture(autouse=True)
def deterministic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)


def transfer() -> StyleTransfer:
    gpu = torch.device("cuda")
    network = Vgg19(vgg19_tensors(), torch.bfloat16, gpu)
    picture = torch.rand(3, 200, 256, generator=torch.Generator().manual_seed(1)).to(gpu)
    return StyleTransfer(network, picture, GatysSettings(steps=12))


def plainly(work: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """Do work kernel by kernel."""
    return RecordedWork(work)._work_beside


@pytest.mark.parametrize("architecture", ["dcgan", "residual"])
def test_a_distilled_model_is_the_same_after_a_pause_and_without_a_recording(
    architecture: Literal["dcgan", "residual"], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_checkpoint(tmp_path, "labelled", CLASSES, architecture)
    engine = RenderEngine(tmp_path.iterdir(), torch.device("cuda"))
    model = engine.model(engine.entries[0])
    used = transfer()

    def new() -> Distillation:
        return Distillation(model, used, 1.0, STEPS, ThreadPoolExecutor(1))

    def train(training: Distillation) -> list[Tensor]:
        while training.progress < 1:
            training.step()
        return list(training.generator.state_dict().values())

    expected = train(new())
    assert any(
        not torch.equal(a, b) for a, b in zip(expected, model.load_original().state_dict().values(), strict=True)
    )
    paused = new()
    paused.step()
    state = deserialise(serialise(paused.state()))
    assert state is not None
    resumed = new()
    resumed.resume(state)
    assert all(map(torch.equal, expected, train(resumed)))
    monkeypatch.setattr(whole_step, "RecordedWork", plainly)
    assert all(map(torch.equal, expected, train(new())))


@pytest.mark.parametrize("side", [64, 128, 320])
def test_styled_images_are_the_same_again_and_without_a_recording(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.rand(4, 3, side, side, generator=torch.Generator().manual_seed(2)).cuda()
    used = transfer()
    expected = used.apply(images, 1.0, lambda _: True)
    assert not torch.equal(expected, images)
    assert torch.equal(expected, used.apply(images, 1.0, lambda _: True))
    monkeypatch.setattr(gatys, "RecordedWork", plainly)
    assert torch.equal(expected, used.apply(images, 1.0, lambda _: True))
