from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from models.checkpoint import Header, load_generator
from models.errors import CheckpointError
from models.sliders import Sliders, load_sliders, sliders_path
from tests.tiny import CLASSES, LABELLED, save_checkpoint
from tests.tiny_sliders import save_sliders
from training.sliders import fit
from training.sliders.fit import fit_sliders, sample_count
from training.sliders.measurements import measure

SHA256 = "a" * 64


class Toy(nn.Module):
    """Its images are brighter with z[3], lighter from the left with z[5], and warmer with the class alone."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        across = torch.linspace(-1, 1, 32)[None, None, None, :]
        light = 0.1 * z[:, 3, None, None, None] - 0.1 * z[:, 5, None, None, None] * across
        warm = 0.2 * labels[:, None, None, None] * torch.tensor([1.0, 0.0, -1.0])[None, :, None, None]
        return (light + warm).expand(-1, 3, 32, 32)


class OnBlack(Toy):
    """The images of Toy with a black border."""

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        return nn.functional.pad(super().forward(z, labels)[..., 4:28, 4:28], (4, 4, 4, 4), value=-1)


@pytest.fixture
def header(tmp_path: Path) -> Header:
    save_checkpoint(tmp_path, LABELLED, CLASSES)
    return load_generator(tmp_path / f"{LABELLED}.safetensors")[0]


@pytest.fixture(autouse=True)
def _few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "_SAMPLES", 1024)
    monkeypatch.setattr(fit, "_LEAST_SAMPLES", 1024)


def by_name(sliders: Sliders) -> dict[str, Tensor]:
    return {each.name: torch.tensor(each.vector) for each in sliders.sliders}


def test_a_slider_is_the_direction_that_changes_what_it_names(header: Header) -> None:
    found = by_name(fit_sliders(header, Toy(), SHA256))
    assert float(found["brightness"][3]) > 0.99
    assert float(found["light from left"][5]) > 0.99
    assert float(found["brightness"].norm()) == pytest.approx(1, abs=1e-5)


def test_what_the_class_explains_is_no_slider(header: Header) -> None:
    assert "warmth" not in by_name(fit_sliders(header, Toy(), SHA256))


def test_images_on_a_constant_background_have_no_slider_of_light(header: Header) -> None:
    found = by_name(fit_sliders(header, OnBlack(), SHA256))
    assert float(found["brightness"][3]) > 0.99
    assert not [name for name in found if name.startswith("light")]


def test_the_same_model_has_the_same_sliders(header: Header) -> None:
    assert fit_sliders(header, Toy(), SHA256) == fit_sliders(header, Toy(), SHA256)


def test_directions_that_repeat_a_slider_are_left_out(header: Header) -> None:
    assert not [name for name in by_name(fit_sliders(header, Toy(), SHA256)) if name.startswith("direction")]


def test_progress_reaches_the_number_of_images(header: Header) -> None:
    seen = list[tuple[int, int]]()
    fit_sliders(header, Toy(), SHA256, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (1024, 1024)


def test_large_models_are_fitted_from_fewer_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "_SAMPLES", 8192)
    assert [sample_count(side) for side in (32, 64, 96)] == [8192, 8192, 3640]


def test_measurements_are_those_of_the_pixels() -> None:
    images = torch.zeros(2, 3, 32, 32)
    images[0, :, :, :16] = 1
    images[1, 0] = 0.5
    found = measure(images)
    assert float(found["light from left"][0]) > 0.2
    assert abs(float(found["light from above"][0])) < 1e-6
    assert found["colour"].tolist() == [0, 0.5]
    assert found["warmth"].tolist() == [0, 0.5]


def test_sliders_of_another_checkpoint_are_refused(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, LABELLED, CLASSES)
    checkpoint = tmp_path / f"{LABELLED}.safetensors"
    save_sliders(checkpoint)
    with pytest.raises(CheckpointError, match="another checkpoint"):
        load_sliders(sliders_path(checkpoint), SHA256, 16)
    sliders_path(checkpoint).write_text("{}")
    with pytest.raises(CheckpointError, match="not a file of sliders"):
        load_sliders(sliders_path(checkpoint), SHA256, 16)
