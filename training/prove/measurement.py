"""Trains a judge on every kind of training set, and counts its correct answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from training.prove import statistics
from training.prove.examples import Examples, shuffled_by_class
from training.prove.judge import Judge
from training.prove.statistics import Accuracy, Difference

Arm = Literal["real", "both", "placebo"]
ARMS: tuple[Arm, ...] = ("real", "both", "placebo")


@dataclass(frozen=True)
class Material:
    """The training and test inputs of a judge."""

    pool: Examples
    """Real images to train on."""
    synthetic: Examples
    test: Examples
    classes: int


@dataclass(frozen=True)
class Result:
    """The results of one judge."""

    judge: str
    synthetic: Accuracy
    """Accuracy with synthetic images alone."""
    accuracies: Mapping[int, Mapping[Arm, Accuracy]]
    """Accuracies by the number of real images per class."""
    gains: Mapping[int, Difference]
    """Real and synthetic images against real images alone."""
    placebo: Mapping[int, Difference]
    """The same, with the labels of the synthetic images shuffled."""


def number_of_trainings(sizes: Sequence[int], repeats: int) -> int:
    """Return how many classifiers a measurement trains."""
    return repeats * (1 + len(ARMS) * len(sizes))


def measure(
    judge: Judge, material: Material, sizes: Sequence[int], repeats: int, seed: int, progress: Callable[[int], None]
) -> Result:
    """Train a judge for each number of real images per class, and repeat with other draws.

    Within a repetition, all arms have the same real images and the same seed, and more images contain fewer.
    `progress` receives the number of trained classifiers.
    """
    hits: dict[tuple[int, Arm], list[Tensor]] = {(k, arm): [] for k in sizes for arm in ARMS}
    alone: list[Tensor] = []
    done = 0

    def ask(draw: int, *parts: Examples) -> Tensor:
        nonlocal done
        answers = judge.classify(parts, material.test.inputs, material.classes, draw)
        done += 1
        progress(done)
        return answers == material.test.labels

    for draw in range(seed, seed + repeats):
        by_class = shuffled_by_class(material.pool.labels, material.classes, draw)
        shuffled = material.synthetic.shuffle_labels(draw)
        alone.append(ask(draw, material.synthetic))
        for k in sizes:
            real = material.pool.take(torch.cat([rows[:k] for rows in by_class]))
            hits[k, "real"].append(ask(draw, real))
            hits[k, "both"].append(ask(draw, real, material.synthetic))
            hits[k, "placebo"].append(ask(draw, real, shuffled))
    return _summarise(judge.name, {key: torch.stack(rows) for key, rows in hits.items()}, torch.stack(alone), material)


def _summarise(judge: str, hits: Mapping[tuple[int, Arm], Tensor], alone: Tensor, material: Material) -> Result:
    labels = material.test.labels
    sizes = list(dict.fromkeys(k for k, _ in hits))
    return Result(
        judge,
        statistics.accuracy(alone, labels),
        {k: {arm: statistics.accuracy(hits[k, arm], labels) for arm in ARMS} for k in sizes},
        {k: statistics.difference(hits[k, "both"], hits[k, "real"], labels) for k in sizes},
        {k: statistics.difference(hits[k, "placebo"], hits[k, "real"], labels) for k in sizes},
    )
