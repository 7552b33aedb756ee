from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from models import checkpoint
from models.registry import Architecture, zoo
from training import samples
from training.record import sample_grid

Pixels = NDArray[np.uint8]


def architecture(classes: int, resolution: int = 64) -> Architecture:
    return Architecture(name="dcgan", resolution=resolution, latent_dim=8, channels=4, classes=classes)


def pixels(page: Image.Image) -> Pixels:
    return np.asarray(page)


def reds(page: Image.Image) -> list[int]:
    """The classes on a page of a painter, top to bottom and stack after stack, an entry per row of images."""
    marks = pixels(page)[:, :, 2] == 0  # only the painter's images are without blue
    columns = np.flatnonzero(marks.any(axis=0) & ~np.roll(marks.any(axis=0), 1))
    return [int(red) for column in columns for red in _runs(pixels(page)[:, column, 0], marks[:, column])]


def _runs(values: NDArray[np.uint8], marks: NDArray[np.bool_]) -> list[np.uint8]:
    starts = np.flatnonzero(marks & ~np.roll(marks, 1))
    return [values[start] for start in starts]


def red(label: int) -> int:
    return round((label / 64 + 1) * 127.5)


@pytest.mark.parametrize(("classes", "rows"), [(2, 3), (3, 2), (4, 2), (6, 1), (7, 1), (13, 1)])
def test_each_class_has_rows_of_its_own(painter: Callable[[int], nn.Module], classes: int, rows: int) -> None:
    names = tuple(f"class-{k}" for k in range(classes))
    page = sample_grid.draw(painter(64), architecture(classes), names)
    leftmost = reds(page)[: classes * rows]
    assert leftmost == [red(label) for label in range(classes) for _ in range(rows)]


def test_without_classes_there_are_six_rows_of_twelve_and_white_around(painter: Callable[[int], nn.Module]) -> None:
    page = sample_grid.draw(painter(64), architecture(0), ())
    assert page.size == (12 * 66 - 2 + 32, 6 * 66 - 2 + 32)
    assert len(reds(page)) == 72
    border = np.ones(pixels(page).shape[:2], dtype=bool)
    border[16:-16, 16:-16] = False
    assert (pixels(page)[border] == 255).all()


@pytest.mark.parametrize("classes", [2, 10, 24, 40, 200])
def test_a_page_is_neither_a_ribbon_nor_a_tower(painter: Callable[[int], nn.Module], classes: int) -> None:
    page = sample_grid.draw(painter(64), architecture(classes), tuple(f"class-{k}" for k in range(classes)))
    assert 0.3 < page.height / page.width < 1.7
    assert len(set(reds(page))) == min(classes, 60)


def test_small_images_are_enlarged_in_whole_pixels(painter: Callable[[int], nn.Module]) -> None:
    small, large = (sample_grid.draw(painter(side), architecture(0, side), ()) for side in (32, 64))
    assert small.size == large.size


def test_large_images_are_fewer() -> None:
    assert sample_grid.describe_latents(architecture(0, 128)) == "latents 0 to 71 of seed 0"
    assert sample_grid.describe_latents(architecture(0, 512)) == "latents 0 to 17 of seed 0"


def test_the_grid_holds_the_images_that_a_service_sends_first() -> None:
    header, generator = checkpoint.load_generator(zoo()["faces-64"])
    page = sample_grid.draw(generator, header.architecture, header.classes)
    assert sample_grid.describe_latents(header.architecture) == "latents 0 to 95 of seed 0, class by class"
    labels = range(4)
    sent = samples.render(generator, header.latent_dim, 0, range(4), torch.tensor(list(labels)))
    tiles = pixels(page)
    left = tiles.shape[1] - 16 - (12 * 66 - 2)
    for label in labels:
        top = 16 + label * (2 * 66 - 2 + 12)
        found = tiles[top : top + 64, left : left + 64].astype(int)
        expected = sent[label].permute(1, 2, 0).numpy().astype(int)
        # Another batch size may round a convolution's sum otherwise: one step of bfloat16 near 1 is one of 255.
        assert np.abs(found - expected).max() <= 2


def test_so_many_classes_are_said_to_be_left_out() -> None:
    assert (
        sample_grid.describe_latents(architecture(200))
        == "the first 60 of 200 classes of latents 0 to 2399 of seed 0, class by class"
    )
