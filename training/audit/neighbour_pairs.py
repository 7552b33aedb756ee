"""Images of a dataset side by side with the training images that are nearest to them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from training.dataset.dataset_files import Dataset
from training.metrics import reference
from training.metrics.sample_features import SampleFeatures
from training.metrics.verdicts import Verdicts

PAIRS = 8
"""Number of pairs of each kind."""


@dataclass(frozen=True)
class NeighbourPair:
    """An image, and the training image that is nearest to it. Shapes: (3, r, r) uint8."""

    image: Tensor
    name: str
    real: Tensor
    ratio: float
    """Distance of the two, relative to the median distance of a real image to its nearest training image."""
    is_copy: bool


def nearest(taken: SampleFeatures, judged: Verdicts, dataset: Dataset) -> list[NeighbourPair]:
    """Return the pairs of the smallest distances, the nearest first."""
    distances = judged.nearest_training.distances[:, 0]
    return _pairs(distances.argsort(stable=True)[:PAIRS], taken, judged, dataset)


def random(taken: SampleFeatures, judged: Verdicts, dataset: Dataset) -> list[NeighbourPair]:
    """Return pairs of random images. The choice is always the same."""
    # Rows are in a fixed random order.
    return _pairs(torch.arange(min(PAIRS, len(taken.items))), taken, judged, dataset)


def _pairs(rows: Tensor, taken: SampleFeatures, judged: Verdicts, dataset: Dataset) -> list[NeighbourPair]:
    places = reference.shuffled_order(len(dataset.images))
    distances, indices = judged.nearest_training
    return [
        NeighbourPair(
            image=taken.picture(row),
            name=taken.items[row].name,
            real=dataset.images[int(places[indices[row, 0]])].clone(),
            ratio=float(distances[row, 0]) / judged.typical_distance,
            is_copy=bool(judged.is_copy[row]),
        )
        for row in rows.tolist()
    ]
