"""Rendering: image indices in, encoded images out, a batch per thread from its latents to its last byte."""

import hashlib
import math
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from torch import Tensor

RenderBatch = Callable[[range], Tensor]
"""Renders the images of one batch of indices as uint8 (n, 3, h, w) on the CPU. Called from several threads."""
Encode = Callable[[Tensor], list[bytes]]
"""Encodes uint8 images (n, 3, h, w). Called from several threads."""


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """One finished image."""

    index: int
    data: bytes
    crc32: int
    sha256: str


@dataclass(frozen=True)
class Mill:
    """What turns indices into files: a network, an encoder, and threads that need no word from each other."""

    batch: RenderBatch
    encode: Encode
    threads: Executor
    ahead: int
    """Batches under way or waiting to be fetched."""

    def render(self, indices: range, blocks: Iterable[range]) -> Iterator[list[EncodedImage]]:
        """Render images, in index order, one list per block; what a block has beside the indices is thrown away."""
        pending: deque[Future[list[EncodedImage]]] = deque()
        for block in blocks:
            wanted = range(max(block.start, indices.start), min(block.stop, indices.stop))
            pending.append(self.threads.submit(self._made, block, wanted))
            if len(pending) > self.ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()

    def _made(self, block: range, wanted: range) -> list[EncodedImage]:
        images = self.batch(block)[wanted.start - block.start : wanted.stop - block.start]
        return [
            EncodedImage(index, data, zlib.crc32(data), hashlib.sha256(data).hexdigest())
            for index, data in zip(wanted, self.encode(images), strict=True)
        ]


def aligned_blocks(indices: range, size: int) -> list[range]:
    """Cover a range of indices with whole blocks [k size, (k + 1) size).

    An image always takes slot index % size of a full batch, so its bytes cannot depend on what else was asked for.
    """
    return [range(start, start + size) for start in range(indices.start - indices.start % size, indices.stop, size)]


def even_blocks(indices: range, most: int, threads: int) -> list[range]:
    """Share indices out evenly among threads, at most `most` in a block, where the size of a block changes no byte."""
    rounds = math.ceil(len(indices) / (most * threads))
    size = math.ceil(len(indices) / (rounds * threads))
    return [range(start, min(start + size, indices.stop)) for start in range(indices.start, indices.stop, size)]
