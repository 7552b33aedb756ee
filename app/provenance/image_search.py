"""Searches the recent jobs of an owner for an image, by the hash of its coarse structure."""

import struct
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from PIL import Image

from app.provenance import verdicts
from app.provenance.pixel_comparison import compare, is_close
from app.schemas.verification import Verification
from worker.contracts.jobs import JobSpec
from worker.contracts.marks.image_address import ImageAddress
from worker.contracts.store.archive_index import ShardIndex
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError

MAX_SECONDS = 2.0
"""Time of one search. The newest jobs come first."""
MAX_BITS = 6
"""Largest difference between the hash of an image and that of a re-encoded or resized copy."""
_MAX_COMPARED = 32
"""Images whose pixels are compared in one search."""
_ROWS, _COLUMNS = 8, 9
_CELLS = struct.Struct(f"{_ROWS * _COLUMNS}f")

RecentJobs = Callable[[str], Iterable[JobSpec]]
"""Yields the jobs of an owner, the newest first."""


class ImageSearch:
    """Finds images in the recent jobs of an owner."""

    def __init__(self, store: Store, recent_jobs: RecentJobs) -> None:
        self._store = store
        self._recent_jobs = recent_jobs

    def find(self, image: Image.Image, owner: str) -> Verification | None:
        """Return the verdict about an RGB image that a recent job of an owner has; None if none was found in time."""
        candidates = self._candidates(coarse_hash(image), owner, time.monotonic() + MAX_SECONDS)
        compared = (self._compare(image, *candidate) for candidate in islice(candidates, _MAX_COMPARED))
        return next((found for found in compared if found is not None), None)

    def _candidates(self, wanted: int, owner: str, deadline: float) -> Iterator[tuple[JobSpec, int, ShardIndex, int]]:
        """Yield (job, index, shard, row) of images whose hash is near to a hash."""
        for spec in self._recent_jobs(owner):
            if spec.format == "npz" or not spec.hashes_images:
                continue
            for shard in self._store.choices.chosen_shards(spec):
                if time.monotonic() > deadline:
                    return
                hashes = shard.index.images.hashes
                for index, row in shard.images():
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
    """Return the hash of an RGB image as in models/image_hash.py.

    Grey values are rounded, so a few bits may differ from the exact hash where neighbouring cells are nearly equal.
    """
    grey = image.convert("L", (0.25, 0.5, 0.25, 0)).convert("F")
    cells = _CELLS.unpack(grey.resize((_COLUMNS, _ROWS), Image.Resampling.BOX).tobytes())
    bits = 0
    for row in range(_ROWS):
        for column in range(_COLUMNS - 1):
            place = row * _COLUMNS + column
            bits = bits << 1 | (cells[place] < cells[place + 1])
    return bits
