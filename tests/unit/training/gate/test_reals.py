import numpy as np
import pytest
import torch

from training.dataset.dataset_files import Dataset, Description, HeldOut
from training.errors import MetricsError
from training.gate import reals
from training.metrics.features import Extractor
from training.metrics.reference import Reference, Source, shuffled_order

EXTRACTOR = Extractor("mean", "none", lambda images: images.float().flatten(1)[:, :2], torch.device("cpu"))


def dataset(n: int, held_out: int = 0) -> Dataset:
    description = Description.model_construct(count=n, sha256="0" * 64)
    # The number of an image is its first pixel.
    images = torch.arange(n, dtype=torch.uint8).view(n, 1, 1, 1).expand(n, 3, 2, 2).contiguous()
    other = HeldOut(images[:held_out] + 100, torch.ones(held_out, dtype=torch.int64)) if held_out else None
    return Dataset(description, images, torch.arange(n) % 2, other)


def known(data: Dataset) -> Reference:
    source = Source(extractor="mean", resize="none", dataset="d", dataset_sha256="0" * 64)
    order = shuffled_order(len(data.images))
    return Reference(source, EXTRACTOR(data.images)[order], data.labels[order])


def test_no_image_teaches_and_judges() -> None:
    data = dataset(90)
    parts = reals.split(data, known(data), EXTRACTOR)
    assert len(parts.judges) == 30
    assert sorted([*parts.judge_features[:, 0].tolist(), *parts.teachers[:, 0].tolist()]) == list(range(90))
    assert torch.equal(EXTRACTOR(parts.judges), parts.judge_features)
    assert torch.equal(parts.judges[:, 0, 0, 0] % 2, parts.judge_labels)


def test_held_out_images_judge_if_there_are_any() -> None:
    data = dataset(90, held_out=40)
    parts = reals.split(data, known(data), EXTRACTOR)
    assert parts.judge_features[:, 0].tolist() == list(range(100, 140))
    assert sorted(parts.teachers[:, 0].tolist()) == list(range(90))
    assert parts.judge_labels.tolist() == [1] * 40


def test_too_few_images_are_refused() -> None:
    with pytest.raises(MetricsError, match="20 real images are too few to judge a gate; at least 24"):
        reals.split(dataset(60), known(dataset(60)), EXTRACTOR)


def test_classes_are_counted() -> None:
    labels = torch.tensor([0, 2, 2, -1])
    assert reals.class_counts(labels, 3) == (1, 0, 2)
    assert reals.class_counts(labels, 0) == (4,)


def test_close_pairs_are_counted_as_a_share_of_all_pairs() -> None:
    assert reals.close_share(np.array([0, 7, 2**20 - 1, 2**40], dtype=np.uint64)) == pytest.approx(2 / 6)
    assert reals.close_share(np.array([0], dtype=np.uint64)) == 0
