import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from models.image_hash import image_hashes
from tests.calibrated_gate import COPIED, save_calibrated_gate
from tests.tiny import picture, save_checkpoint, vgg19_tensors
from tests.unit.conftest import MakeSpec
from worker.contracts.jobs import JobSpec
from worker.contracts.selection import Selection
from worker.contracts.styles import StyleSpec
from worker.errors import GateUnavailableError, WeightsError
from worker.renderer import Renderer
from worker.rendering.candidate import Candidate
from worker.rendering.encoder_pool import EncoderPool
from worker.rendering.encoding import EncodedImage
from worker.rendering.engine import RenderEngine
from worker.rendering.loaded_model import LoadedModel
from worker.style.stylizer import Stylizer
from worker.style.vgg import Vgg19


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    folder = tmp_path_factory.mktemp("models")
    save_checkpoint(folder, "plain")
    save_calibrated_gate(folder / "plain.safetensors")
    engine = RenderEngine([folder / "plain.safetensors"], torch.device("cpu"))
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


def test_processes_encode_the_images_of_threads(
    renderer: Renderer, model: LoadedModel, make_spec: MakeSpec, rendered: list[EncodedImage]
) -> None:
    with EncoderPool(2) as encoders:
        assert images_of(replace(renderer, encoders=encoders), model, make_spec, range(40)) == rendered


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


def gated(spec: JobSpec, model: LoadedModel, keep: int, **changes: object) -> JobSpec:
    assert model.gate is not None
    selection = Selection(gate=model.gate.sha256, keep=keep, drops_copies="seed" in changes)
    return spec.model_copy(update={"archive_version": 3, "selection": selection, **changes})


def candidates_of(renderer: Renderer, model: LoadedModel, spec: JobSpec, indices: range) -> list[Candidate]:
    return [each for part in renderer.render(spec, model, indices, lambda: True) for each in part]


def test_an_image_with_a_low_score_is_not_encoded(
    renderer: Renderer, model: LoadedModel, make_spec: MakeSpec, rendered: list[EncodedImage]
) -> None:
    found = candidates_of(renderer, model, gated(make_spec(n=40), model, 300), range(40))
    assert [candidate.index for candidate in found] == list(range(40))
    for candidate, expected in zip(found, rendered, strict=True):
        assert candidate.verdict.score is not None
        if candidate.verdict.score < 700:
            assert candidate.image is None
        else:
            assert candidate.image is not None
            assert (candidate.image.index, candidate.image.data) == (expected.index, expected.data)
    assert 3 < sum(candidate.image is not None for candidate in found) < 25


@pytest.mark.parametrize("style", [None, "fast"])
def test_an_image_with_a_low_score_is_not_drawn(
    renderer: Renderer, model: LoadedModel, make_spec: MakeSpec, style: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, draw = list[int](), LoadedModel.draw

    def note(model: LoadedModel, grids: torch.Tensor, slots: Sequence[int]) -> torch.Tensor:
        drawn.extend(slots)
        return draw(model, grids, slots)

    used = model.with_generator(model.load_original()) if style else model
    monkeypatch.setattr(LoadedModel, "draw", note)
    found = candidates_of(renderer, used, gated(make_spec(n=40), model, 300), range(40))
    assert sorted(drawn) == sorted(candidate.index % 16 for candidate in found if candidate.image is not None)


def test_where_parts_are_not_exact_the_same_images_are_kept(
    renderer: Renderer, model: LoadedModel, make_spec: MakeSpec
) -> None:
    whole = copy(model)
    whole._is_divisible, whole._original = False, None
    spec = gated(make_spec(n=40), model, 400)
    assert candidates_of(renderer, whole, spec, range(40)) == candidates_of(renderer, model, spec, range(40))


def test_the_hash_of_an_image_is_that_of_its_pixels(
    renderer: Renderer, model: LoadedModel, make_spec: MakeSpec, rendered: list[EncodedImage]
) -> None:
    spec = make_spec(n=40).model_copy(update={"archive_version": 3})
    for candidate in candidates_of(renderer, model, spec, range(40)):
        assert candidate.image is not None
        with Image.open(io.BytesIO(candidate.image.data)) as picture:
            (expected,) = image_hashes(np.asarray(picture)[None])
        assert candidate.image.hash == f"{expected:016x}"
    assert {image.hash for image in rendered} == {""}  # jobs of layout 1 have none


def test_a_copy_of_a_training_image_is_not_encoded(renderer: Renderer, model: LoadedModel, make_spec: MakeSpec) -> None:
    seed, indices = COPIED
    found = candidates_of(renderer, model, gated(make_spec(n=40), model, 1000, seed=seed), range(16))
    copies = [candidate.index for candidate in found if candidate.verdict.is_copy]
    assert set(indices) <= set(copies)
    assert copies == [candidate.index for candidate in found if candidate.image is None]


def test_a_model_of_a_style_keeps_the_images_that_the_original_one_keeps(
    renderer: Renderer, model: LoadedModel, make_spec: MakeSpec
) -> None:
    generator = model.load_original()
    for weights in generator.parameters():
        weights.mul_(0.5)
    styled, spec = model.with_generator(generator), gated(make_spec(n=40), model, 500)
    plain, other = (candidates_of(renderer, each, spec, range(40)) for each in (model, styled))
    assert [candidate.verdict for candidate in plain] == [candidate.verdict for candidate in other]
    pairs = [(a.image, b.image) for a, b in zip(plain, other, strict=True) if a.image and b.image]
    assert len(pairs) > 5
    assert all(a.sha256 != b.sha256 for a, b in pairs)


@pytest.mark.slow
@pytest.mark.parametrize("drops_copies", [False, True])
def test_styled_images_that_are_kept_have_the_bytes_of_a_job_without_a_gate(
    model: LoadedModel, make_spec: MakeSpec, drops_copies: bool
) -> None:
    file = io.BytesIO()
    picture(1).save(file, "PNG")
    network = Vgg19(vgg19_tensors(), torch.float32, torch.device("cpu"))
    stylizer = Stylizer(network, torch.device("cpu"), lambda _: file.getvalue())
    style = StyleSpec(id="a" * 64, mode="standard", strength=1, steps=1)
    plain = make_spec(n=12).model_copy(update={"archive_version": 3, "style": style, "seed": COPIED[0]})
    spec = gated(plain, model, 500, **({"seed": COPIED[0]} if drops_copies else {}))
    with ThreadPoolExecutor(1) as executor:
        styling = Renderer(executor, 1, patience_seconds=60, stylizer=stylizer)
        found, every = (candidates_of(styling, model, each, range(12)) for each in (spec, plain))
    kept = [candidate.image for candidate in found if candidate.image]
    assert 2 < len(kept) < 10
    assert kept == [every[image.index].image for image in kept]
    assert any(candidate.verdict.is_copy for candidate in found) is drops_copies


def test_another_quality_gate_is_refused(renderer: Renderer, model: LoadedModel, make_spec: MakeSpec) -> None:
    spec = make_spec(n=40).model_copy(update={"selection": Selection(gate="f" * 64, keep=500)})
    with pytest.raises(GateUnavailableError, match="ffffffffffff"):
        list(renderer.render(spec, model, range(1), lambda: True))
