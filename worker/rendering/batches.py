"""Rendering of a shard: image indices in, encoded images out. One thread renders and encodes one batch."""

import hashlib
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass

from torch import Tensor

RenderBatch = Callable[[range], Tensor]
"""Renders images of one aligned block as uint8 (n, 3, h, w) on the CPU. It must be thread-safe."""
Encode = Callable[[Tensor], list[bytes]]
"""Encodes uint8 images (n, 3, h, w). It must be thread-safe."""


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """One finished image."""

    index: int
    data: bytes
    crc32: int
    sha256: str


@dataclass(frozen=True)
class ShardPipeline:
    """Renders and encodes the images of a shard in threads that do not wait for each other."""

    batch_size: int
    batch: RenderBatch
    encode: Encode
    threads: Executor
    ahead: int
    """Number of batches that may be in progress or finished but not yet yielded."""
    patience_seconds: float
    """Time without a finished batch after which an empty list is yielded."""

    def render(self, indices: range) -> Iterator[list[EncodedImage]]:
        """Render images, and yield them in index order, one list per batch; empty lists keep the caller informed."""
        pending: deque[Future[list[EncodedImage]]] = deque()
        for block in aligned_blocks(indices, self.batch_size):
            wanted = slots_of(block, indices)
            pending.append(self.threads.submit(self._render_and_encode, block[wanted.start : wanted.stop]))
            if len(pending) > self.ahead:
                yield from self._wait_for(pending.popleft())
        while pending:
            yield from self._wait_for(pending.popleft())

    def _wait_for(self, batch: Future[list[EncodedImage]]) -> Iterator[list[EncodedImage]]:
        while not wait([batch], self.patience_seconds).done:
            yield []
        yield batch.result()

    def _render_and_encode(self, indices: range) -> list[EncodedImage]:
        return [
            EncodedImage(index, data, zlib.crc32(data), hashlib.sha256(data).hexdigest())
            for index, data in zip(indices, self.encode(self.batch(indices)), strict=True)
        ]


def slots_of(block: range, indices: range) -> range:
    """Return the slots of a block that hold the requested images."""
    return range(max(block.start, indices.start) - block.start, min(block.stop, indices.stop) - block.start)


def aligned_blocks(indices: range, size: int) -> Iterator[range]:
    """Return the blocks [k size, (k + 1) size) that cover a range of indices."""
    for start in range(indices.start - indices.start % size, indices.stop, size):
        yield range(start, start + size)
