import io
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest
import torch
from PIL import Image
from torch import Tensor

from worker.encoding import encode
from worker.render import EncodedImage, Mill, aligned_blocks, even_blocks

BATCH = 8


@pytest.fixture
def encoders() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def numbered(block: range) -> Tensor:
    """Images whose every value is their index."""
    return torch.tensor(list(block), dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 4, 4).contiguous()


def as_png(images: Tensor) -> list[bytes]:
    return encode(images, "png")


def rendered(indices: range, encoders: Executor) -> list[EncodedImage]:
    batches = Mill(numbered, as_png, encoders, ahead=2).render(indices, aligned_blocks(indices, BATCH))
    return [image for batch in batches for image in batch]


@pytest.mark.parametrize("indices", [range(0, 1), range(0, 8), range(3, 30), range(16, 24), range(7, 9)])
def test_exactly_the_wanted_images_come_in_order(indices: range, encoders: Executor) -> None:
    images = rendered(indices, encoders)
    assert [image.index for image in images] == list(indices)
    assert [Image.open(io.BytesIO(image.data)).getpixel((0, 0))[0] for image in images] == list(indices)  # type: ignore[index]


def test_batches_are_whole_blocks_of_index_space() -> None:
    assert aligned_blocks(range(3, 17), BATCH) == [range(0, 8), range(8, 16), range(16, 24)]
    assert aligned_blocks(range(8, 16), BATCH) == [range(8, 16)]


def test_few_images_are_shared_out_among_threads() -> None:
    assert even_blocks(range(3, 4), BATCH, 2) == [range(3, 4)]
    assert even_blocks(range(3, 14), BATCH, 2) == [range(3, 9), range(9, 14)]
    assert even_blocks(range(20), BATCH, 2) == [range(0, 5), range(5, 10), range(10, 15), range(15, 20)]


def test_an_image_takes_the_same_slot_whatever_was_asked_for(encoders: Executor) -> None:
    alone, among = rendered(range(13, 14), encoders), rendered(range(0, 40), encoders)
    assert alone == [among[13]]


def test_batches_are_made_side_by_side(encoders: Executor) -> None:
    both = threading.Barrier(2, timeout=10)

    def batch(block: range) -> Tensor:
        both.wait()
        return numbered(block)

    assert len(list(Mill(batch, as_png, encoders, ahead=2).render(range(16), aligned_blocks(range(16), BATCH)))) == 2


def test_no_more_batches_are_begun_than_can_soon_be_fetched(encoders: Executor) -> None:
    begun = list[range]()

    def batch(block: range) -> Tensor:
        begun.append(block)
        return numbered(block)

    images = Mill(batch, as_png, encoders, ahead=2).render(range(800), aligned_blocks(range(800), BATCH))
    next(images)
    assert len(begun) <= 3
