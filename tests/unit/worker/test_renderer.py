from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from tests.tiny import save_checkpoint
from worker.renderer import Renderer
from worker.rendering.engine import LoadedModel, RenderEngine


@pytest.fixture
def model(tmp_path: Path) -> LoadedModel:
    save_checkpoint(tmp_path, "plain")
    runtime = RenderEngine(tmp_path.iterdir(), torch.device("cpu"))
    return runtime.model(runtime.entries[0])


@pytest.mark.parametrize(
    ("count", "threads", "portion_size"), [(1, 2, 1), (3, 2, 2), (10, 2, 4), (16, 2, 8), (16, 1, 16), (500, 4, 16)]
)
def test_few_images_are_split_among_the_threads(
    model: LoadedModel, count: int, threads: int, portion_size: int
) -> None:
    renderer = Renderer(ThreadPoolExecutor(1), threads, patience_seconds=60)
    assert renderer.portion_size(model, count) == portion_size
    model.is_divisible = False
    assert renderer.portion_size(model, count) == model.batch_size
