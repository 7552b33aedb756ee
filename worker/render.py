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

Encode = Callable[[Tensor], bytes]
"""Encodes one uint8 image (3, h, w)."""

_BATCHES_AHEAD = 1


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
    pending: deque[list[Future[EncodedImage]]] = deque()
    for block in aligned_blocks(indices, batch_size):
        images = batch(block)
        wanted = range(max(block.start, indices.start), min(block.stop, indices.stop))
        pending.append([encoders.submit(_encoded, index, images[index - block.start], encode) for index in wanted])
        if len(pending) > _BATCHES_AHEAD:
            yield [future.result() for future in pending.popleft()]
    for futures in pending:
        yield [future.result() for future in futures]


def aligned_blocks(indices: range, size: int) -> Iterator[range]:
    """Cover a range of indices with whole blocks [k size, (k + 1) size)."""
    for start in range(indices.start - indices.start % size, indices.stop, size):
        yield range(start, start + size)


def _encoded(index: int, image: Tensor, encode: Encode) -> EncodedImage:
    data = encode(image)
    return EncodedImage(index, data, zlib.crc32(data), hashlib.sha256(data).hexdigest())
