"""Rendering of a part of a batch, where that changes no bit, so that one image does not cost a whole batch.

An image's bytes may depend on the shape of its batch, because a library may choose the order of sums by the number of
images. A matrix product does, so the first layer is always computed for the whole batch. Convolutions compute each
image by itself, and may keep their order of sums. When a worker loads a model, it tries whether each layer gives the
same bits for each half, quarter, ... of a batch. If so, only the smallest part with the wanted slots is computed.
"""

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from models import dcgan
from models.inference import InferenceDcgan

_COMPARED_VALUES = 190_000
"""Number of values of each layer that are compared.

Another order of sums rounds about one value of 25 000 differently (docs/log.md), which is eight of so many.
"""


def are_exact(generator: InferenceDcgan, batch_size: int, grids_of_batch: Callable[[int], Tensor]) -> bool:
    """Return whether all parts of batches give the same bits as the batches.

    `grids_of_batch` returns the start grids of batch 0, 1, ... as a test input.
    """
    return all(_is_exact(generator, grids_of_batch(number)) for number in range(batches_to_try(generator, batch_size)))


def batches_to_try(generator: InferenceDcgan, batch_size: int) -> int:
    """Return how many batches give enough values of every layer for the comparison."""
    # The smallest output is that of the first doubling, or the image itself in a very narrow network.
    fewest: int = min(2 * generator.channels, 3 * 2 ** (2 * dcgan.UPSAMPLINGS)) * generator.grid**2 * batch_size
    return math.ceil(_COMPARED_VALUES / fewest)


def render(generator: InferenceDcgan, z: Tensor, labels: Tensor | None, slots: range) -> Tensor:
    """Render the images in some slots of a batch. Shapes: z (batch_size, latent_dim); returns (len(slots), 3, r, r)."""
    part = _smallest_part(slots)
    images = generator.images(generator.grids(z, labels)[part.start : part.stop])
    return images[slots.start - part.start : slots.stop - part.start]


def portion_size(batch_size: int, images: int, threads: int) -> int:
    """Return how many images a thread renders at once: a power of 2 that leaves no thread idle, at most a batch."""
    share = math.ceil(images / threads)
    return min(batch_size, 1 << share.bit_length() - 1)


def _is_exact(generator: InferenceDcgan, grids: Tensor) -> bool:
    x = grids
    for layer in generator.layers:
        whole = layer(x)
        for size in _halvings(len(grids)):
            for part, expected in zip(torch.split(x, size), torch.split(whole, size), strict=True):
                if not torch.equal(layer(part), expected):
                    return False
        x = whole
    return True


def _halvings(size: int) -> Iterator[int]:
    while size > 1:
        size //= 2
        yield size


def _smallest_part(slots: range) -> range:
    """Return the smallest half, quarter, eighth, ... of a batch that holds some slots."""
    size = 1
    while slots.start // size != (slots.stop - 1) // size:
        size *= 2
    start = slots.start - slots.start % size
    return range(start, start + size)
