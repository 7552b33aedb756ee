import io

import numpy as np
import pytest
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


def test_images_of_one_hash_and_other_pixels_are_apart() -> None:
    """Shapes on white: the hash sees an empty background and the same slopes."""
    images = np.full((3, 3, 64, 64), 255, dtype=np.uint8)
    for number, colour in enumerate(((200, 0, 0), (0, 0, 200), (0, 160, 0))):
        images[number, :, 8:56, 8:56] = np.asarray(colour, dtype=np.uint8)[:, None, None]
    assert near_duplicates.groups(images).tolist() == [0, 1, 2]


def test_a_chain_of_near_duplicates_is_one_group() -> None:
    base = planes(picture(3, (32, 32))).astype(np.int64) // 2
    chain = np.stack([base + 4 * step for step in range(8)]).astype(np.uint8)
    assert near_duplicates.groups(chain).tolist() == [0] * 8
    assert near_duplicates.groups(chain[[0, 7]]).tolist() == [0, 1]


def test_groups_do_not_depend_on_how_many_images_are_compared_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.stack([planes(picture(number % 40, (32, 32))) for number in range(80)])
    monkeypatch.setattr(near_duplicates, "_CHUNK", 7)
    assert near_duplicates.groups(images).tolist() == [*range(40), *range(40)]
