from dataclasses import replace

import pytest
import torch

from training.dataset.dataset_files import Dataset, HeldOut
from training.errors import MetricsError
from training.prove import real_images


def rows_of(images: torch.Tensor) -> set[bytes]:
    return {image.numpy().tobytes() for image in images}


def test_the_held_out_part_is_divided_into_training_and_test(known: Dataset) -> None:
    assert known.held_out is not None
    made = real_images.choose(known, "held-out")
    assert len(made.pool) + len(made.test) == len(known.held_out.labels)
    assert not rows_of(made.pool.inputs) & rows_of(made.test.inputs)
    assert rows_of(made.pool.inputs) | rows_of(made.test.inputs) == rows_of(known.held_out.images)
    assert made.pool.counts(3) == [count // 2 for count in known.held_out.labels.bincount().tolist()]


def test_the_division_is_always_the_same(known: Dataset) -> None:
    first, again = real_images.choose(known, "held-out"), real_images.choose(known, "held-out")
    assert torch.equal(first.pool.inputs, again.pool.inputs)
    assert torch.equal(first.test.labels, again.test.labels)


def test_at_most_200_of_a_class_are_trained_on(known: Dataset) -> None:
    noise = torch.randint(256, (1200, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    many = HeldOut(noise, torch.arange(1200) % 3)
    for reals, data in (
        ("held-out", replace(known, held_out=many)),
        ("training", replace(known, images=many.images, labels=many.labels)),
    ):
        made = real_images.choose(replace(data), "training" if reals == "training" else "held-out")
        assert made.pool.counts(3) == [200] * 3


def test_the_training_part_is_trained_on_when_asked(known: Dataset) -> None:
    assert known.held_out is not None
    made = real_images.choose(known, "training")
    assert torch.equal(made.pool.inputs, known.images)
    assert torch.equal(made.pool.labels, known.labels)
    assert torch.equal(made.test.inputs, known.held_out.images)


def test_no_test_image_is_nearly_in_the_pool(known: Dataset) -> None:
    assert known.held_out is not None
    images, labels = known.held_out.images, known.held_out.labels
    twins = images.clone()
    twins[:, 0, 0, 0] ^= 1
    made = real_images.choose(
        replace(known, held_out=HeldOut(torch.cat([images, twins]), labels.repeat(2))), "held-out"
    )
    assert len(made.pool) == len(labels)
    # The first pixel does not count.
    assert not rows_of(made.pool.inputs[..., 1:]) & rows_of(made.test.inputs[..., 1:])
    assert 0 < len(made.test) < len(labels)


def test_known_images_are_left_out_of_everything(known: Dataset) -> None:
    assert known.held_out is not None
    unseen = torch.arange(len(known.held_out.labels)) % 2 == 0
    made = real_images.choose(known, "held-out", unseen)
    assert len(made.pool) + len(made.test) == int(unseen.sum())
    assert not rows_of(made.test.inputs) & rows_of(known.held_out.images[~unseen])


def test_without_a_held_out_part_all_images_are_divided(known: Dataset) -> None:
    made = real_images.choose(replace(known, held_out=None), "held-out")
    assert len(made.pool) + len(made.test) == len(known.labels)
    with pytest.raises(MetricsError, match="--reals training tests on held-out images, and patterns has none"):
        real_images.choose(replace(known, held_out=None), "training")


def test_a_class_without_images_is_named(known: Dataset) -> None:
    assert known.held_out is not None
    labels = known.held_out.labels
    keep = (labels != 1) | (torch.arange(len(labels)) == (labels == 1).nonzero()[0].item())
    few = HeldOut(known.held_out.images[keep], labels[keep])
    with pytest.raises(MetricsError, match="too few real images to train on: bee would have fewer than 2"):
        real_images.choose(replace(known, held_out=few), "held-out")
    with pytest.raises(MetricsError, match="too few real images to test on: bee"):
        real_images.choose(replace(known, held_out=few), "training")


@pytest.mark.parametrize(("classes", "message"), [((), "has no classes"), (("ant",), "the only class is ant")])
def test_fewer_than_two_classes_are_refused(known: Dataset, classes: tuple[str, ...], message: str) -> None:
    data = replace(
        known,
        description=known.description.model_copy(update={"classes": classes}),
        labels=known.labels * 0,
        held_out=None,
    )
    with pytest.raises(MetricsError, match=message):
        real_images.choose(data, "held-out")
