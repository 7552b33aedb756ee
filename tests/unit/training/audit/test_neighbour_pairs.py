from pathlib import Path

import torch

from tests.unit.training.audit.conftest import Measure
from training.dataset.dataset_files import Dataset
from training.metrics import neighbours
from training.metrics.features import Extractor


def test_pairs_have_the_nearest_training_image_and_begin_with_the_nearest_of_all(
    archive: Path, dataset: Dataset, extractor: Extractor, measure: Measure
) -> None:
    made = measure(archive)
    assert [pair.ratio for pair in made.nearest] == sorted(pair.ratio for pair in made.nearest)
    assert made.nearest[0].ratio <= min(pair.ratio for pair in made.random)
    known = extractor(dataset.images)
    for pair in (*made.nearest, *made.random):
        place = int(neighbours.nearest(extractor(pair.image[None]), known).indices)
        assert torch.equal(pair.real, dataset.images[place])


def test_random_pairs_are_always_the_same(archive: Path, measure: Measure) -> None:
    first, again = ([pair.name for pair in measure(archive).random] for _ in range(2))
    assert first == again
    assert len(set(first)) == 8
