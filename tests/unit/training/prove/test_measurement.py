from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from training.prove import measurement
from training.prove.examples import Examples
from training.prove.measurement import Material


class Recorder:
    """A judge that answers 0, and remembers its training sets."""

    name = "recorder"

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[Examples, ...], int]] = []

    def prepare(self, images: Tensor, progress: Callable[[int], None]) -> Tensor:
        progress(len(images))
        return images

    def classify(self, parts: Sequence[Examples], test: Tensor, classes: int, seed: int) -> Tensor:
        assert classes == 2
        self.asked.append((tuple(parts), seed))
        return torch.zeros(len(test), dtype=torch.int64)


def numbered(n: int, first: int) -> Examples:
    return Examples(torch.arange(first, first + n).float(), torch.arange(n) % 2)


def inputs(part: Examples) -> set[float]:
    return set(part.inputs.tolist())


def test_all_arms_of_a_draw_have_the_same_real_images_and_seed() -> None:
    judge, done = Recorder(), list[int]()
    material = Material(numbered(20, 0), numbered(10, 100), numbered(8, 200), 2)
    result = measurement.measure(judge, material, (2, 5), 3, 40, done.append)
    assert done == list(range(1, measurement.number_of_trainings((2, 5), 3) + 1))
    draws = [judge.asked[start : start + 7] for start in range(0, 21, 7)]
    for draw, asked in enumerate(draws):
        assert {seed for _, seed in asked} == {40 + draw}
        (alone,), (few,), (few_both, made), (few_placebo, shuffled), (many,), _, _ = (parts for parts, _ in asked)
        assert inputs(alone) == inputs(made) == inputs(shuffled) == set(range(100, 110))
        assert few.inputs.tolist() == few_both.inputs.tolist() == few_placebo.inputs.tolist()
        assert (few.counts(2), many.counts(2)) == ([2, 2], [5, 5])
        assert inputs(few) < inputs(many)
        assert made.labels.tolist() == material.synthetic.labels.tolist()
        assert sorted(shuffled.labels.tolist()) == sorted(made.labels.tolist())
    assert inputs(draws[0][1][0][0]) != inputs(draws[1][1][0][0])
    assert {k: list(arms) for k, arms in result.accuracies.items()} == {k: ["real", "both", "placebo"] for k in (2, 5)}
    assert result.accuracies[2]["real"].each == (0.5, 0.5, 0.5)
    assert (result.gains[5].mean, result.placebo[5].mean) == (0, 0)


def test_a_rare_class_gives_all_that_it_has() -> None:
    judge = Recorder()
    pool = Examples(torch.arange(12.0), (torch.arange(12) > 1).long())
    measurement.measure(judge, Material(pool, numbered(4, 100), numbered(8, 200), 2), (5,), 2, 0, lambda _: None)
    assert judge.asked[1][0][0].counts(2) == [2, 5]
