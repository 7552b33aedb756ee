"""The real images of a proof: some to train on, and others to test on, which the generator has not seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from training.dataset import near_duplicates
from training.dataset.dataset_files import Dataset
from training.errors import MetricsError
from training.prove.examples import Examples, shuffled_by_class

Reals = Literal["held-out", "training"]

MOST_PER_CLASS = 200
"""Most real images of a class that are set aside to train on."""


@dataclass(frozen=True)
class RealImages:
    """Images to train on, and images to test on. Shapes of both: inputs (n, 3, r, r) uint8."""

    pool: Examples
    test: Examples


def choose(data: Dataset, reals: Reals, unseen: Tensor | None = None) -> RealImages:
    """Divide the held-out part of a dataset, or take the training part to train on. The choice is always the same.

    `unseen` has True for each held-out image that may be tested on. Without a held-out part, all images
    of the dataset are divided. Raises MetricsError when a class has too few images.
    """
    names = data.description.classes
    if not names:
        raise MetricsError(f"{data.description.name} has no classes, and a classifier needs at least two")
    held_out = data.held_out or data
    pool, test = Examples(data.images, data.labels), Examples(held_out.images, held_out.labels)
    if unseen is not None:
        test = test.take(unseen.nonzero().squeeze(1))
    if reals == "held-out":
        pool, test = _divide(test, len(names))
    elif data.held_out is None:
        raise MetricsError(
            f"--reals training tests on held-out images, and {data.description.name} has none; make the dataset again "
            "with: imagemill dataset --hold-out 0.25"
        )
    else:
        pool = pool.take(torch.cat([rows[:MOST_PER_CLASS] for rows in _rows(pool, len(names))]).sort().values)
    _check(pool, test, names)
    return RealImages(pool, test)


def _divide(examples: Examples, classes: int) -> tuple[Examples, Examples]:
    """Return a pool and a test set. Near-duplicates of the pool are in neither."""
    chosen = [rows[: min(MOST_PER_CLASS, len(rows) // 2)] for rows in _rows(examples, classes)]
    pool = torch.cat(chosen).sort().values
    groups = torch.from_numpy(near_duplicates.groups(examples.inputs.numpy()))
    return examples.take(pool), examples.take((~torch.isin(groups, groups[pool])).nonzero().squeeze(1))


def _rows(examples: Examples, classes: int) -> Sequence[Tensor]:
    return shuffled_by_class(examples.labels, classes, seed=0)


def _check(pool: Examples, test: Examples, names: tuple[str, ...]) -> None:
    if len(names) < 2:
        raise MetricsError(f"the only class is {names[0]}, and a classifier needs at least two")
    for part, purpose in ((pool, "train"), (test, "test")):
        missing = [name for name, count in zip(names, part.counts(len(names)), strict=True) if count < 2]
        if missing:
            raise MetricsError(
                f"too few real images to {purpose} on: {', '.join(missing)} would have fewer than 2; hold out a larger "
                "share of the dataset, or leave such classes out with --only-classes"
            )
