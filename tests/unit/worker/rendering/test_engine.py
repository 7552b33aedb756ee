import os
from copy import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.overrides import TorchFunctionMode

from tests.gates import save_random_gate
from tests.tiny import CLASSES, save_checkpoint
from worker.errors import ModelUnavailableError
from worker.rendering.engine import RenderEngine, find_checkpoints, load_fitting_engine
from worker.rendering.loaded_model import LoadedModel

CPU = torch.device("cpu")


@pytest.fixture
def engine(tmp_path: Path) -> RenderEngine:
    save_checkpoint(tmp_path, "plain")
    save_checkpoint(tmp_path, "labelled", CLASSES)
    (tmp_path / "broken.safetensors").write_bytes(b"no checkpoint")
    return RenderEngine(tmp_path.iterdir(), CPU)


def test_a_broken_checkpoint_is_set_aside(engine: RenderEngine) -> None:
    assert {entry.name for entry in engine.entries} == {"plain", "labelled"}


def test_every_model_renders_without_a_job(engine: RenderEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered, render = dict[str, tuple[int, ...]](), LoadedModel.render

    def note(model: LoadedModel, latents: Tensor, labels: Any) -> Tensor:
        images = render(model, latents, labels)
        rendered[model.entry.name] = tuple(images.shape)
        return images

    monkeypatch.setattr(LoadedModel, "render", note)
    engine.warm_up()
    assert rendered == {
        entry.name: (engine.model(entry).batch_size, 3, entry.resolution, entry.resolution) for entry in engine.entries
    }


def test_images_do_not_depend_on_the_number_of_threads(engine: RenderEngine) -> None:
    threads = torch.get_num_threads()
    for entry in engine.entries:
        model = engine.model(entry)
        labels = [index % 3 for index in range(model.batch_size)] if entry.classes else []
        images = []
        for count in (1, 2):
            torch.set_num_threads(count)
            images.append(model.render(model.latents(5, range(model.batch_size)), labels))
        torch.set_num_threads(threads)
        assert images[0].shape == (model.batch_size, 3, 32, 32)
        assert torch.equal(*images)


def test_a_model_with_other_bytes_is_not_taken_for_the_wanted_one(engine: RenderEngine) -> None:
    stranger = engine.entries[0].model_copy(update={"sha256": "f" * 64})
    with pytest.raises(ModelUnavailableError, match="ffffffffffff"):
        engine.model(stranger)


def test_a_users_checkpoint_is_found_beside_the_shipped_ones(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, "own")
    assert find_checkpoints(tmp_path) == [*find_checkpoints(None), tmp_path / "own.safetensors"]


def test_a_quality_gate_is_not_taken_for_a_checkpoint(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, "own")
    save_random_gate(tmp_path / "own.safetensors")
    assert find_checkpoints(tmp_path) == [*find_checkpoints(None), tmp_path / "own.safetensors"]


@pytest.mark.parametrize("name", ["nowhere", "file", "file/below"])
def test_a_folder_of_checkpoints_that_cannot_be_read_is_set_aside(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_bytes(b"no checkpoint")
    folder = tmp_path / name
    (*shipped, own) = find_checkpoints(folder)
    assert shipped == find_checkpoints(None)
    assert f"IMAGEMILL_MODELS is '{folder}'" in caplog.text
    (file,) = RenderEngine([own], CPU).set_aside
    assert file.file == folder.name
    assert str(tmp_path) not in file.reason or "No such file" in file.reason


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("place", ["plain.safetensors", "."])
def test_a_checkpoint_that_may_not_be_read_is_set_aside(place: str, tmp_path: Path) -> None:
    save_checkpoint(tmp_path, "plain")
    (tmp_path / place).chmod(0)
    made = RenderEngine(find_checkpoints(tmp_path)[-1:], CPU)
    (tmp_path / place).chmod(0o700)
    assert ["ermission denied" in file.reason for file in made.set_aside] == [True]


def test_of_two_models_with_one_name_the_later_one_counts(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "shipped", "plain")
    save_checkpoint(tmp_path / "own", "plain", CLASSES)
    paths = [tmp_path / folder / "plain.safetensors" for folder in ("shipped", "own")]
    assert [entry.classes for entry in RenderEngine(paths, CPU).entries] == [CLASSES]


class SmallMemory(TorchFunctionMode):
    """A device on which no tensor has more than so many rows."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self._rows = rows

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.nn.functional.linear and len(args[0]) > self._rows:
            raise torch.OutOfMemoryError
        return func(*args, **(kwargs or {}))


def test_batches_are_halved_until_they_fit(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, "plain")
    paths = list(tmp_path.iterdir())
    usual = load_fitting_engine(paths, CPU, 1).numerics
    with SmallMemory(5):
        halved = load_fitting_engine(paths, CPU, 1).numerics
    assert (usual.batch_size, halved.batch_size) == (16, 4)
    assert halved.name == f"{usual.name}-4"
    with SmallMemory(0), pytest.raises(torch.OutOfMemoryError):
        load_fitting_engine(paths, CPU, 1)


@pytest.mark.parametrize("architecture", ["dcgan", "residual"])
@given(start=st.integers(0, 15), count=st.integers(1, 16))
def test_an_image_does_not_depend_on_the_other_rendered_slots(
    batches: dict[str, tuple[LoadedModel, Tensor, list[int], Tensor]], architecture: str, start: int, count: int
) -> None:
    model, z, labels, whole = batches[architecture]
    wanted = range(start, min(start + count, model.batch_size))
    assert torch.equal(model.render(z, labels, wanted), whole[wanted.start : wanted.stop])


@pytest.mark.parametrize("is_divisible", [True, False])
def test_chosen_images_are_drawn_as_in_their_whole_batch(
    batches: dict[str, tuple[LoadedModel, Tensor, list[int], Tensor]], is_divisible: bool
) -> None:
    model, z, labels, whole = batches["dcgan"]
    chosen = copy(model)
    chosen._is_divisible = is_divisible
    grids = chosen.grids(z, labels)
    for slots in ([3], [0, 1, 15], [12, 2, 7, 5, 9], range(16)):
        assert torch.equal(chosen.draw(grids, slots), whole[list(slots)])


@pytest.fixture(scope="module")
def batches(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[LoadedModel, Tensor, list[int], Tensor]]:
    """A model of each architecture, and the images of one batch."""
    made = {}
    for name in ("dcgan", "residual"):
        folder = tmp_path_factory.mktemp(name)
        save_checkpoint(folder, "labelled", CLASSES, architecture=name)
        engine = RenderEngine(folder.iterdir(), CPU)
        model = engine.model(engine.entries[0])
        block = range(model.batch_size)
        z, labels = model.latents(5, block), model.labels(block)
        made[name] = model, z, labels, model.render(z, labels)
    assert made["dcgan"][0].portion_size(1, 1) == 1  # so that parts of batches are rendered alone
    return made
