import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from PIL import Image

from tests.tiny import save_checkpoint
from tests.unit.conftest import MakeSpec
from worker.contracts.styles import StyleSpec
from worker.errors import WeightsError
from worker.renderer import Renderer
from worker.rendering.encoding import EncodedImage
from worker.rendering.engine import RenderEngine
from worker.rendering.loaded_model import LoadedModel


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    folder = tmp_path_factory.mktemp("models")
    save_checkpoint(folder, "plain")
    engine = RenderEngine(folder.iterdir(), torch.device("cpu"))
    return engine.model(engine.entries[0])


@pytest.fixture
def renderer() -> Iterator[Renderer]:
    with ThreadPoolExecutor(2) as executor:
        yield Renderer(executor, 2, patience_seconds=60)


@pytest.fixture
def rendered(renderer: Renderer, model: LoadedModel, make_spec: MakeSpec) -> list[EncodedImage]:
    """The first images of a job, as one request for all of them gives them."""
    return images_of(renderer, model, make_spec, range(40))


def images_of(renderer: Renderer, model: LoadedModel, make_spec: MakeSpec, indices: range) -> list[EncodedImage]:
    lists = renderer.render(make_spec(n=40), model, indices, lambda: True)
    return [candidate.image for candidates in lists for candidate in candidates if candidate.image is not None]


@pytest.mark.parametrize("indices", [range(0, 1), range(0, 8), range(3, 30), range(16, 24), range(15, 17)])
def test_images_do_not_depend_on_the_other_images_of_a_request(
    renderer: Renderer, model: LoadedModel, make_spec: MakeSpec, rendered: list[EncodedImage], indices: range
) -> None:
    found = images_of(renderer, model, make_spec, indices)
    assert [image.index for image in found] == list(indices)
    assert found == rendered[indices.start : indices.stop]


def test_images_are_files_of_the_jobs_format(rendered: list[EncodedImage]) -> None:
    assert len({image.sha256 for image in rendered}) == 40
    with Image.open(io.BytesIO(rendered[0].data), formats=("PNG",)) as image:
        assert image.size == (32, 32)


def test_without_weights_of_vgg19_a_style_is_refused(
    renderer: Renderer, model: LoadedModel, make_spec: MakeSpec
) -> None:
    style = StyleSpec(id="a" * 64, mode="standard", strength=1, steps=1)
    spec = make_spec(n=40).model_copy(update={"style": style})
    with pytest.raises(WeightsError, match="weights of VGG19"):
        list(renderer.render(spec, model, range(1), lambda: True))
