import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from training.dataset import hold_out
from training.errors import UsageError

SEEDS = st.integers(0, 2**32 - 1)


def noise(seed: int, count: int) -> NDArray[np.uint8]:
    """Images of random blocks, which have nothing in common. Shapes: returns (count, 3, 32, 32)."""
    blocks = np.random.default_rng(seed).integers(0, 256, (count, 3, 16, 16), dtype=np.uint8)
    return blocks.repeat(2, axis=2).repeat(2, axis=3)


def almost(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Change one pixel of each image."""
    changed = images.copy()
    changed[:, :, 0, 0] ^= 1
    return changed


@settings(max_examples=25)
@given(seed=SEEDS, added=st.integers(1, 200), share=st.floats(0.2, 0.8))
def test_images_that_are_added_move_no_other_image(seed: int, added: int, share: float) -> None:
    random = np.random.default_rng(seed)
    images, labels = noise(seed, 200), np.arange(200) % 2
    before = hold_out.choose(images, labels, share).is_held_out
    order = random.permutation(200 + added)
    grown = np.concatenate([images, noise(seed + 1, added)])[order]
    after = hold_out.choose(grown, np.concatenate([labels, random.integers(0, 3, added)])[order], share).is_held_out
    assert np.array_equal(after[np.argsort(order)][:200], before)


@settings(max_examples=25)
@given(seed=SEEDS, share=st.floats(0.001, 0.999), sizes=st.lists(st.integers(2, 5), min_size=1, max_size=6))
def test_every_class_of_two_images_or_more_has_both_sides(seed: int, share: float, sizes: list[int]) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    held_out = hold_out.choose(noise(seed, len(labels)), labels, share).is_held_out
    for label in range(len(sizes)):
        assert 0 < held_out[labels == label].sum() < sizes[label]


@settings(max_examples=25)
@given(seed=SEEDS, share=st.floats(0.001, 0.999))
def test_duplicates_and_near_duplicates_are_on_one_side(seed: int, share: float) -> None:
    images = noise(seed, 60)
    both = np.concatenate([images, images[:20], almost(images[20:40])])
    # A copy may be in another class.
    labels = np.random.default_rng(seed).integers(0, 3, len(both))
    choice = hold_out.choose(both, labels, share)
    assert np.array_equal(choice.is_held_out[60:], choice.is_held_out[:40])
    assert choice.near_duplicates == 40
    assert all((~choice.is_held_out & (labels == label)).any() for label in range(3))


def test_the_share_is_met_whatever_the_size_of_groups() -> None:
    images = noise(1, 1000)
    many = np.concatenate([images, *(images[:200] for _ in range(4))])
    held_out = hold_out.choose(many, np.zeros(len(many), dtype=np.int64), 0.3).is_held_out
    # Four standard deviations of 800 and of 200 draws.
    assert held_out[200:1000].mean() == pytest.approx(0.3, abs=0.065)
    assert held_out[:200].mean() == pytest.approx(0.3, abs=0.13)


def test_a_larger_share_holds_out_the_same_images_and_more() -> None:
    images, labels = noise(2, 300), np.arange(300) % 3
    few, many = (hold_out.choose(images, labels, share).is_held_out for share in (0.1, 0.4))
    assert 0 < few.sum() < many.sum()
    assert not (few & ~many).any()


def test_a_class_of_one_image_stays_in_the_training() -> None:
    images, labels = noise(3, 41), np.asarray([*[0] * 40, 1])
    assert not hold_out.choose(images, labels, 0.999).is_held_out[40]


def test_a_class_of_copies_of_one_image_stays_in_the_training() -> None:
    images = np.concatenate([noise(4, 40), *(noise(5, 1) for _ in range(6))])
    held_out = hold_out.choose(images, np.asarray([*[0] * 40, *[1] * 6]), 0.5).is_held_out
    assert not held_out[40:].any()


def test_no_class_loses_its_last_training_image_to_another_one() -> None:
    """The only group of class 1 also has an image of class 0, which lacks a held-out one."""
    shared = noise(6, 1)
    for seed in range(7, 47):
        images, labels = np.concatenate([noise(seed, 1), shared, shared]), np.asarray([0, 0, 1])
        assert hold_out.choose(images, labels, 0.001).is_held_out.tolist() == [True, False, False]


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 10.0, float("nan"), float("inf")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(UsageError, match=rf"above 0 and below 1, e.g. 0.1; got {share}"):
        hold_out.check(share)
