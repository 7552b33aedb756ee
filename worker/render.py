"""Rendering: image indices in, encoded images out, encoding one batch while the next is being generated."""

import hashlib
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from torch import Tensor

RenderBatch = Callable[[range], Tensor]
"""Renders the images of one full batch of indices as uint8 (n, 3, h, w) on the CPU."""

Encode = Callable[[Tensor], list[bytes]]
"""Encodes uint8 images (n, 3, h, w)."""

_BATCHES_AHEAD = 1
_GROUP = 8
"""Images that one thread encodes at a time: enough for its coming and going not to count."""


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """One finished image."""

    index: int
    data: bytes
    crc32: int
    sha256: str


def render(
    indices: range, batch_size: int, batch: RenderBatch, encode: Encode, encoders: Executor
) -> Iterator[list[EncodedImage]]:
    """Render images, in index order, one list per batch.

    Batches are aligned blocks of index space: an image always takes slot index % batch_size of a full batch, and what
    was not asked for is thrown away. So an image's bytes cannot depend on its neighbours.
    """
    pending: deque[list[Future[list[EncodedImage]]]] = deque()
    for block in aligned_blocks(indices, batch_size):
        images = batch(block)
        wanted = range(max(block.start, indices.start), min(block.stop, indices.stop))
        groups = [wanted[k : k + _GROUP] for k in range(0, len(wanted), _GROUP)]
        slots = [images[group.start - block.start : group.stop - block.start] for group in groups]
        pending.append([encoders.submit(_encoded, *pair, encode) for pair in zip(groups, slots, strict=True)])
        if len(pending) > _BATCHES_AHEAD:
            yield _collected(pending.popleft())
    yield from map(_collected, pending)


def aligned_blocks(indices: range, size: int) -> Iterator[range]:
    """Cover a range of indices with whole blocks [k size, (k + 1) size)."""
    for start in range(indices.start - indices.start % size, indices.stop, size):
        yield range(start, start + size)


def _encoded(indices: range, images: Tensor, encode: Encode) -> list[EncodedImage]:
    return [
        EncodedImage(index, data, zlib.crc32(data), hashlib.sha256(data).hexdigest())
        for index, data in zip(indices, encode(images), strict=True)
    ]


def _collected(groups: list[Future[list[EncodedImage]]]) -> list[EncodedImage]:
    return [image for group in groups for image in group.result()]
