"""Chooses the images that a dataset holds out, and moves them to files of their own.

A hash of an image's pixels decides, so the choice stays the same when images are added.
"""

import hashlib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.dataset import near_duplicates
from training.dataset.dataset_files import HELD_OUT_IMAGES, HELD_OUT_LABELS, IMAGES, LABELS
from training.errors import DatasetError, UsageError

_CHUNK = 1024
_HASH_BYTES = 16

Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Choice(NamedTuple):
    """The held-out images. Shapes: is_held_out (n,)."""

    is_held_out: Mask
    near_duplicates: int
    """Number of groups of two or more images that show nearly the same."""


class _Group(NamedTuple):
    """Images that are on one side."""

    members: Indices
    labels: frozenset[int]
    place: float
    """Uniform in [0, 1) and the same in every dataset. A group below the share is held out."""


class Part(NamedTuple):
    """One side of a dataset after the split."""

    labels: Indices
    sha256: str
    """Hash of images and labels."""


def check(share: float) -> None:
    """Raise UsageError unless a share lies between 0 and 1."""
    if not 0 < share < 1:
        raise UsageError(f"--hold-out is a share of the images, above 0 and below 1, e.g. 0.1; got {share}")


def choose(images: NDArray[np.uint8], labels: Indices, share: float) -> Choice:
    """Choose about `share` of the images of every class. Duplicates and near-duplicates are on one side.

    Every class keeps an image for training. A class of two or more groups of near-duplicates also has a held-out one,
    if no class loses its last training image by it.
    Shapes: images (n, 3, r, r), r a multiple of 16; labels (n,).
    """
    groups = _grouped(images, labels)
    held = [group.place < share for group in groups]
    _correct(groups, held)
    mask = np.zeros(len(images), dtype=np.bool_)
    for group, is_held_out in zip(groups, held, strict=True):
        mask[group.members] = is_held_out
    return Choice(mask, sum(len(group.members) > 1 for group in groups))


def _correct(groups: list[_Group], held: list[bool]) -> None:
    """Move groups of classes that are wholly on one side. Training comes first. Changes `held`."""
    of_class: dict[int, list[int]] = {}
    # In the order of their places, so that the first and the last of a class are nearest to the other side.
    for k in sorted(range(len(groups)), key=lambda k: groups[k].place):
        for label in groups[k].labels:
            of_class.setdefault(label, []).append(k)
    for label in sorted(of_class):
        if all(held[k] for k in of_class[label]):
            held[of_class[label][-1]] = False
    trained = Counter(
        label for group, is_held_out in zip(groups, held, strict=True) if not is_held_out for label in group.labels
    )
    for label in sorted(of_class):
        if any(held[k] for k in of_class[label]):
            continue
        # A group may have images of several classes; none of them may lose its last training group.
        movable = (k for k in of_class[label] if all(trained[other] > 1 for other in groups[k].labels))
        if (chosen := next(movable, None)) is not None:
            held[chosen] = True
            trained.subtract(groups[chosen].labels)


def _grouped(images: NDArray[np.uint8], labels: Indices) -> list[_Group]:
    of_image = near_duplicates.groups(images)
    order = np.argsort(of_image, kind="stable")
    starts = np.flatnonzero(np.diff(of_image[order], prepend=-1))
    hashes = [hashlib.blake2b(image.tobytes(), digest_size=_HASH_BYTES).digest() for image in images]
    return [
        _Group(members, frozenset(labels[members].tolist()), _place([hashes[k] for k in members]))
        for members in np.split(order, starts[1:])
    ]


def _place(hashes: list[bytes]) -> float:
    # The first half of the hash selects a member and the second half decides, so large groups are held out as often.
    return int.from_bytes(min(hashes)[_HASH_BYTES // 2 :][:6]) / 2**48


def split_files(folder: Path, side: int, labels: Indices, share: float) -> tuple[Part, Part, int]:
    """Move the held-out images of a new dataset to files of their own, and write the labels of both parts.

    Returns the training part, the held-out part, and the number of groups of near-duplicates. Raises DatasetError when
    fewer than two images are left for training, or none is held out. Shapes: labels (n,).
    """
    whole = folder / f"{IMAGES}.whole"
    (folder / IMAGES).rename(whole)
    images: NDArray[np.uint8] = np.memmap(whole, np.uint8, "r", shape=(len(labels), 3, side, side))
    choice = choose(images, labels, share)
    held_out = np.flatnonzero(choice.is_held_out)
    training = np.flatnonzero(~choice.is_held_out)
    if len(training) < 2 or not len(held_out):
        raise DatasetError(
            f"--hold-out {share}: {len(training)} images are left for training and {len(held_out)} are held out; at "
            "least 2 and 1 are needed, so use more images or another share"
        )
    parts = (
        _write(folder / IMAGES, folder / LABELS, images, labels, training),
        _write(folder / HELD_OUT_IMAGES, folder / HELD_OUT_LABELS, images, labels, held_out),
    )
    whole.unlink()
    return *parts, choice.near_duplicates


def _write(images_path: Path, labels_path: Path, images: NDArray[np.uint8], labels: Indices, chosen: Indices) -> Part:
    digest = hashlib.sha256()
    with images_path.open("wb") as file:
        for start in range(0, len(chosen), _CHUNK):
            pixels = images[chosen[start : start + _CHUNK]]
            file.write(pixels.data)
            digest.update(pixels.data)
    digest.update(labels[chosen].data)
    labels_path.write_bytes(labels[chosen].tobytes())
    return Part(labels[chosen], digest.hexdigest())
