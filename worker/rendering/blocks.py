"""Blocks of index space. A batch is one block, so an image has the same slot in every request.

A block of size b is a range [k b, (k + 1) b). Blocks of a smaller size never cross the ends of a batch,
because all sizes in use divide the batch size.
"""

from collections.abc import Iterator


def block_of(index: int, size: int) -> range:
    """Return the block that holds an index."""
    start = index - index % size
    return range(start, start + size)


def split(indices: range, size: int) -> Iterator[range]:
    """Split a range of indices where blocks begin. The first and the last part may be shorter than a block."""
    start = indices.start
    while start < indices.stop:
        stop = min(block_of(start, size).stop, indices.stop)
        yield range(start, stop)
        start = stop


def slots(part: range, block: range) -> range:
    """Return the positions of some indices in the block that holds them."""
    return range(part.start - block.start, part.stop - block.start)
