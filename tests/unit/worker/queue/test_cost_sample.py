from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import fmean
from typing import get_args

import pytest
import torch

from tests.calibrated_gate import save_calibrated_gate
from tests.tiny import CLASSES, save_checkpoint
from worker.contracts.costs import ModelCosts
from worker.contracts.formats import Format
from worker.queue.cost_sample import measure_costs
from worker.renderer import Renderer
from worker.rendering.encoding import encode
from worker.rendering.engine import RenderEngine
from worker.rendering.loaded_model import LoadedModel


@pytest.fixture(scope="module", params=[(), CLASSES])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    folder = tmp_path_factory.mktemp("models")
    save_checkpoint(folder, "tiny", request.param)
    if request.param:
        save_calibrated_gate(folder / "tiny.safetensors")
    engine = RenderEngine([folder / "tiny.safetensors"], torch.device("cpu"))
    return engine.model(engine.entries[0])


@pytest.fixture(scope="module")
def costs(model: LoadedModel) -> Iterator[ModelCosts]:
    with ThreadPoolExecutor(2) as executor:
        yield measure_costs(model, Renderer(executor, 2, patience_seconds=60))


@pytest.mark.parametrize("kind", get_args(Format))
def test_the_sample_has_the_sizes_of_other_images(model: LoadedModel, costs: ModelCosts, kind: Format) -> None:
    classes = len(model.entry.classes) or 1
    assert len(costs.sizes[kind].mean_bytes) == classes
    indices = range(20 * model.batch_size)
    files = list[bytes]()
    for start in indices[:: model.batch_size]:
        batch = range(start, start + model.batch_size)
        files += encode(model.render(model.latents(99, batch), model.labels(batch)), kind)
    for label, expected in enumerate(costs.sizes[kind].mean_bytes):
        assert expected == pytest.approx(fmean(len(file) for file in files[label::classes]), rel=0.1)


def test_times_are_known_for_each_format_and_for_the_gate(model: LoadedModel, costs: ModelCosts) -> None:
    assert set(costs.image_seconds) == set(get_args(Format))
    assert all(0 < seconds < 1 for seconds in costs.image_seconds.values())
    assert (costs.candidate_seconds is None) == (model.gate is None)
    assert costs == ModelCosts.model_validate_json(costs.model_dump_json())
