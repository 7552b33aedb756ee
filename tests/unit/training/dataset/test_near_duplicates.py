import io

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from tests.tiny import picture
from training.dataset import near_duplicates

Pixels = NDArray[np.uint8]


def planes(image: Image.Image) -> Pixels:
    return np.asarray(image.convert("RGB"), dtype=np.uint8).transpose(2, 0, 1)


def jpeg(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return Image.open(file)


def test_an_image_that_was_stored_again_is_in_the_group_of_the_first() -> None:
    first = picture(1, (64, 64))
    variants = (first, first, jpeg(first), first.point(lambda value: min(255, value + 3)))
    images = np.stack([*map(planes, variants), planes(picture(2, (64, 64)))])
    assert near_duplicates.groups(images).tolist() == [0, 0, 0, 0, 4]


def test_different_images_are_groups_of_their_own() -> None:
    images = np.stack([planes(picture(number, (32, 32))) for number in range(60)])
    assert near_duplicates.groups(images).tolist() == list(range(60))


def test_shapes_on_one_background_are_apart_and_their_copies_are_not() -> None:
    """A hash of slopes sees the same background, and in copies its noise."""
    white = [Image.new("RGB", (64, 64), "white") for _ in range(3)]
    for image, colour in zip(white, ("red", "blue", "green"), strict=True):
        image.paste(colour, (16, 16, 48, 48))
    images = np.stack([planes(image) for image in (*white, *map(jpeg, white))])
    assert near_duplicates.groups(images).tolist() == [0, 1, 2, 0, 1, 2]


def test_the_search_finds_the_same_pairs_as_a_comparison_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_duplicates, "_BLOCK", 16)
    monkeypatch.setattr(near_duplicates, "_CHUNK", 50)
    generator = torch.Generator().manual_seed(0)
    strength = torch.rand(200, 1, 1, 1, generator=generator) * 12
    cells = 128 + 20 * torch.randn(1, 3, 16, 16, generator=generator)
    cells = cells + strength * torch.randn(200, 3, 16, 16, generator=generator) + strength
    differences = (cells.flatten(1)[:, None] - cells.flatten(1)[None]).abs().mean(dim=2)
    expected = {(a, b) for a, b in (differences <= 5).nonzero().tolist() if a < b}
    assert 200 < len(expected) < 10_000
    found = [(min(pair), max(pair)) for pair in near_duplicates._close_pairs(cells)]
    assert len(found) == len(expected)
    assert set(found) == expected


def test_a_chain_of_near_duplicates_is_one_group() -> None:
    base = planes(picture(3, (32, 32))).astype(np.int64) // 2
    chain = np.stack([base + 4 * step for step in range(8)]).astype(np.uint8)
    assert near_duplicates.groups(chain).tolist() == [0] * 8
    assert near_duplicates.groups(chain[[0, 7]]).tolist() == [0, 1]


def test_groups_do_not_depend_on_how_many_images_are_compared_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.stack([planes(picture(number % 40, (32, 32))) for number in range(80)])
    monkeypatch.setattr(near_duplicates, "_CHUNK", 7)
    assert near_duplicates.groups(images).tolist() == [*range(40), *range(40)]
