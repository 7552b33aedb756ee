from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.unit.training.prove.conftest import save_generator, save_patterns
from training.dataset import dataset_builder, dataset_files
from training.dataset.dataset_files import Dataset
from training.dataset.image_source import items
from training.errors import MetricsError
from training.prove import exposure
from training.prove.source import Source


def build(folder: Path, name: str) -> Dataset:
    dataset_builder.build(items(folder), folder.parent / name, 32, dataset_builder.Credit(name, "CC0"))
    return dataset_files.load(folder.parent / name)


def test_a_generator_of_the_training_part_has_not_seen_the_test_images(known: Dataset, tmp_path: Path) -> None:
    source = Source(save_generator(tmp_path, known.description.sha256))
    assert exposure.doubt(source, known, None) == ""
    assert exposure.require(source, known, None, is_allowed=False) == ""


def test_every_doubt_refuses_unless_overlap_is_allowed(known: Dataset, tmp_path: Path) -> None:
    digest = known.description.sha256
    other = build(save_patterns(tmp_path / "in", 3, 900), "other")
    folder = save_patterns(tmp_path / "images", 2, 900)
    cases: list[tuple[Source, Dataset, Dataset | None, str]] = [
        (
            Source(save_generator(tmp_path, digest)),
            replace(known, held_out=None),
            None,
            "patterns has no held-out part",
        ),
        (Source(save_generator(tmp_path, "", "old")), known, None, "old does not say which images it was trained on"),
        (
            Source(save_generator(tmp_path, "f" * 64, "foreign")),
            known,
            None,
            "which is not the training part of patterns;",
        ),
        (Source(save_generator(tmp_path, "f" * 64, "foreign")), known, other, "patterns nor other"),
        (Source(folder), known, None, "images is a set of images; name their checkpoint with --made-by"),
    ]
    for source, data, trained_on, reason in cases:
        with pytest.raises(MetricsError, match="cannot tell that the generator has not seen the test images") as caught:
            exposure.require(source, data, trained_on, is_allowed=False)
        assert reason in str(caught.value)
        assert reason in exposure.require(source, data, trained_on, is_allowed=True)


def test_the_dataset_of_a_generator_may_be_another_one(known: Dataset, tmp_path: Path) -> None:
    other = build(save_patterns(tmp_path / "in", 3, 900), "other")
    source = Source(save_generator(tmp_path, other.description.sha256))
    assert exposure.doubt(source, known, other) == ""


def test_test_images_of_the_other_dataset_are_found(known: Dataset) -> None:
    assert known.held_out is not None
    barely_other = known.held_out.images[5:6].clone()
    barely_other[0, 0, 0, 0] ^= 1
    images = torch.cat([known.images[:20], known.held_out.images[:3], barely_other])
    other = replace(known, images=images, labels=torch.zeros(len(images), dtype=torch.int64), held_out=None)
    unseen = exposure.unseen(known, other)
    assert (~unseen).nonzero().flatten().tolist() == [0, 1, 2, 5]


def test_a_dataset_that_holds_all_test_images_leaves_nothing(known: Dataset) -> None:
    assert known.held_out is not None
    other = replace(known, images=known.held_out.images, labels=known.held_out.labels, held_out=None)
    with pytest.raises(MetricsError, match="all held-out images of patterns are in patterns"):
        exposure.unseen(known, other)


def test_datasets_of_two_sizes_cannot_be_compared(known: Dataset) -> None:
    other = replace(known, description=known.description.model_copy(update={"resolution": 64, "name": "large"}))
    with pytest.raises(MetricsError, match="large holds 64 px images, patterns holds 32 px"):
        exposure.unseen(known, other)
