import io
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest
import torch
from PIL import Image
from torch import Tensor

from worker.rendering.batches import EncodedImage, ShardPipeline, aligned_blocks
from worker.rendering.encoding import encode

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
    pipeline = ShardPipeline(BATCH, numbered, as_png, encoders, ahead=2, patience_seconds=60)
    return [image for batch in pipeline.render(indices) for image in batch]


@pytest.mark.parametrize("indices", [range(0, 1), range(0, 8), range(3, 30), range(16, 24), range(7, 9)])
def test_exactly_the_wanted_images_come_in_order(indices: range, encoders: Executor) -> None:
    images = rendered(indices, encoders)
    assert [image.index for image in images] == list(indices)
    assert [Image.open(io.BytesIO(image.data)).getpixel((0, 0))[0] for image in images] == list(indices)  # type: ignore[index]


def test_batches_are_whole_blocks_of_index_space() -> None:
    assert list(aligned_blocks(range(3, 17), BATCH)) == [range(0, 8), range(8, 16), range(16, 24)]
    assert list(aligned_blocks(range(8, 16), BATCH)) == [range(8, 16)]


def test_an_image_takes_the_same_slot_in_every_request(encoders: Executor) -> None:
    alone, among = rendered(range(13, 14), encoders), rendered(range(0, 40), encoders)
    assert alone == [among[13]]


def test_batches_are_rendered_in_parallel(encoders: Executor) -> None:
    both = threading.Barrier(2, timeout=10)

    def batch(block: range) -> Tensor:
        both.wait()
        return numbered(block)

    assert len(list(ShardPipeline(BATCH, batch, as_png, encoders, ahead=2, patience_seconds=60).render(range(16)))) == 2


def test_no_more_batches_are_begun_than_can_soon_be_fetched(encoders: Executor) -> None:
    begun = list[range]()

    def batch(block: range) -> Tensor:
        begun.append(block)
        return numbered(block)

    images = ShardPipeline(BATCH, batch, as_png, encoders, ahead=2, patience_seconds=60).render(range(800))
    next(images)
    assert len(begun) <= 3
