"""Reads images of any source, and keeps their features, hashes and labels instead of their pixels."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.image_hash import Hashes
from training.dataset.dataset_files import Description
from training.dataset.item import Item
from training.dataset.square_image import SquareImage, decode
from training.metrics import pixel_hashes, reference, sample_files
from training.metrics.features import Extractor

_CHUNK = 256
"""Number of images in memory at a time."""
MOST = 100_000
"""Most images that are measured by default. Their features take 512 MB."""


@dataclass(frozen=True)
class SampleFeatures:
    """Features, hashes and labels of a source's images. Rows are usable images, in a fixed random order."""

    items: list[Item]
    """The image of each row."""
    size: int
    """Height and width of the images in pixels, after they were resized."""
    features: Tensor
    """Shape: (n, d)."""
    labels: Tensor
    """Numbers of the classes, -1 for none. Shape: (n,)."""
    hashes: Hashes
    """Shape: (n,)."""
    sha256: str
    """The hash of the measured pixels, in the order of the source."""
    found: int
    """Number of images in the source."""
    unusable: int
    resized: int
    """Number of images that had another size."""
    identical: int
    """Number of images whose pixels equal those of an earlier one."""

    @property
    def known_labels(self) -> Tensor | None:
        """The labels if every image has a known class, else None. One unknown label makes agreement meaningless."""
        return None if len(self.labels) == 0 or int(self.labels.min()) < 0 else self.labels

    def picture(self, row: int) -> Tensor:
        """Decode the image of a row again. Shapes: returns (3, size, size) uint8."""
        return torch.from_numpy(decode(self.items[row].read(), self.size).pixels)


def extract(
    path: Path,
    description: Description,
    extractor: Extractor,
    most: int,
    progress_for: Callable[[int], Callable[[int], None]],
) -> SampleFeatures:
    """Read at most `most` images, evenly spaced, and resize them to the size of a dataset as `imagemill dataset` does.

    Raises DatasetError when there are no images, MetricsError when none can be used.
    """
    size, classes = description.resolution, description.classes
    chosen, found = sample_files.choose(path, classes, most)
    # A source may be sorted by class, and many figures use the first rows only.
    order = reference.shuffled_order(len(chosen))
    rows = order.argsort()
    features, is_usable = torch.empty(0), torch.zeros(len(chosen), dtype=torch.bool)
    hashes, whole, digests, resized = np.zeros(len(chosen), np.uint64), hashlib.sha256(), set[bytes](), 0
    for chunk in _chunks(sample_files.decoded(chosen, size, progress_for(len(chosen)))):
        pixels = np.stack([image.pixels for _, image in chunk])
        own = rows[[position for position, _ in chunk]]
        made = extractor(torch.from_numpy(pixels))
        # Features are written to their rows at once, because two copies of them would take much memory.
        features = features if len(features) else made.new_empty(len(chosen), made.shape[1])
        features[own], is_usable[own] = made, True
        hashes[own.numpy()] = pixel_hashes.hashes(torch.from_numpy(pixels))
        whole.update(pixels.data)
        digests.update(hashlib.sha256(each.data).digest() for each in pixels)
        resized += sum(image.side != size or image.cut > 0 for _, image in chunk)
    usable = int(is_usable.sum())
    if not usable:
        raise sample_files.none_usable(path, len(chosen))
    items = [chosen[position] for position in order[is_usable].tolist()]
    return SampleFeatures(
        items=items,
        size=size,
        features=features if usable == len(chosen) else features[is_usable],
        labels=torch.tensor([sample_files.number_of(item.label, classes) for item in items]),
        hashes=hashes[is_usable.numpy()],
        sha256=whole.hexdigest(),
        found=found,
        unusable=len(chosen) - usable,
        resized=resized,
        identical=usable - len(digests),
    )


def _chunks(images: Iterator[tuple[int, SquareImage]]) -> Iterator[list[tuple[int, SquareImage]]]:
    while chunk := list(islice(images, _CHUNK)):
        yield chunk
