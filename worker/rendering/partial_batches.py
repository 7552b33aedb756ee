"""Drawing of some images of a batch, where that changes no bit, so that one image does not cost a whole batch.

An image's bytes may depend on the shape of its batch, because a library may choose the order of sums by the number of
images. A matrix product does, so the first layer is always computed for the whole batch. Convolutions compute each
image by itself, and may keep their order of sums. When a worker loads a model, it tries whether each layer gives the
same bits for any number of images of a batch, in any order. If so, only the wanted images are drawn.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from models import dcgan
from models.inference import InferenceDcgan

_COMPARED_VALUES = 190_000
"""Number of values of each layer that are compared, for each number of images.

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


def portion_size(batch_size: int, images: int, threads: int) -> int:
    """Return how many images a thread renders at once: a power of 2 that leaves no thread idle, at most a batch."""
    share = math.ceil(images / threads)
    return min(batch_size, 1 << share.bit_length() - 1)


def _is_exact(generator: InferenceDcgan, grids: Tensor) -> bool:
    """Draw a batch in parts of 1, 2, 3, ... images in random orders, and compare each layer with the whole batch."""
    order, x = torch.Generator().manual_seed(0), grids
    for layer in generator.layers:
        whole = layer(x)
        for size in range(1, len(x)):
            for rows in torch.split(torch.randperm(len(x), generator=order), size):
                if not torch.equal(layer(x[rows]), whole[rows]):
                    return False
        x = whole
    return True
