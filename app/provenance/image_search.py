"""Searches the recent jobs of an owner for an image, by the hash of its coarse structure."""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import accumulate, pairwise

from PIL import Image

from app.provenance import verdicts
from app.provenance.pixel_comparison import compare, is_close
from app.schemas.verification import Verification
from worker.contracts.jobs import JobSpec
from worker.contracts.marks.image_address import ImageAddress
from worker.contracts.marks.point_address import address_at
from worker.contracts.store.archive_index import ShardIndex
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError

MAX_SECONDS = 2.0
"""Time of one search. The newest jobs come first."""
MAX_BITS = 8
"""Largest difference between the hash of an image and that of a re-encoded or resized copy."""
_ROWS, _COLUMNS = 8, 9


class ImageSearch:
    """Finds images in the recent jobs of an owner."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, image: Image.Image, owner: str) -> Verification | None:
        """Return the verdict about an RGB image that a recent job of an owner has; None if none was found in time."""
        candidates = self._candidates(coarse_hash(image), owner, time.monotonic() + MAX_SECONDS)
        compared = (self._compare(image, *candidate) for candidate in candidates)
        return next((found for found in compared if found is not None), None)

    def _candidates(self, wanted: int, owner: str, deadline: float) -> Iterator[tuple[JobSpec, int, ShardIndex, int]]:
        """Yield (job, index, shard, row) of images whose hash is near to a hash."""
        for entry in self._store.jobs.list.after(owner, None, None):
            if time.monotonic() > deadline:
                return
            with suppress(DamagedError):
                spec = self._store.jobs.spec(entry.id)
                if spec is not None and spec.owner == owner and spec.format != "npz" and spec.hashes_images:
                    yield from self._candidates_of(spec, wanted, deadline)

    def _candidates_of(
        self, spec: JobSpec, wanted: int, deadline: float
    ) -> Iterator[tuple[JobSpec, int, ShardIndex, int]]:
        for shard in self._store.choices.chosen_shards(spec):
            hashes = shard.index.images.hashes
            for index, row in shard.images():
                if time.monotonic() > deadline:
                    return
                if (int(hashes[row], 16) ^ wanted).bit_count() <= MAX_BITS:
                    yield spec, index, shard.index, row

    def _compare(
        self, image: Image.Image, spec: JobSpec, index: int, shard: ShardIndex, row: int
    ) -> Verification | None:
        try:
            rendered = self._store.shards.image(shard, row)
        except DamagedError:  # the images of the job have expired meanwhile
            return None
        difference = compare(image, rendered)
        if not is_close(difference):
            return None
        label = spec.labels((index,))
        if spec.placement is not None:
            address: verdicts.Address = address_at(spec, spec.placement, index, label[0] if label else None)
            return verdicts.compared(address, spec.model, difference, is_marked=False)
        address = ImageAddress(
            model=spec.model.sha256,
            seed=spec.seed,
            index=index,
            class_number=label[0] if label else None,
            numerics=spec.model.numerics.name,
            style=spec.style,
        )
        return verdicts.compared(address, spec.model, difference, is_marked=False)


def coarse_hash(image: Image.Image) -> int:
    """Return the hash of an RGB image, exactly as models/image_hash.py does, without NumPy."""
    data, width = image.tobytes(), image.width
    grey = [red + 2 * green + blue for red, green, blue in zip(data[::3], data[1::3], data[2::3], strict=True)]
    rows = [_cells(grey[start : start + width], _COLUMNS) for start in range(0, len(grey), width)]
    columns = [_cells(column, _ROWS) for column in zip(*rows, strict=True)]
    bits = 0
    for row in zip(*columns, strict=True):
        for left, right in pairwise(row):
            bits = bits << 1 | (left < right)
    return bits


def _cells(values: Sequence[int], cells: int) -> list[int]:
    """Return the sums of cells of equal width, which may end inside a value. A whole value counts `cells` times."""
    sums = [0, *accumulate(values)]

    def sum_before(position: int) -> int:
        whole, part = divmod(position, cells)
        return cells * sums[whole] + (part * values[whole] if part else 0)

    return [after - before for before, after in pairwise(sum_before(k * len(values)) for k in range(cells + 1))]
