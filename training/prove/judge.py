"""The classifiers that judge a training set by the accuracy on real images."""

from collections.abc import Callable, Sequence
from typing import Protocol

from torch import Tensor

from training.prove.examples import Examples


class Judge(Protocol):
    """A way to train a classifier, always with the same effort."""

    @property
    def name(self) -> str:
        """A name for tables."""

    def prepare(self, images: Tensor, progress: Callable[[int], None]) -> Tensor:
        """Compute a classifier's inputs once. `progress` receives the number of finished images.

        Shapes: images (n, 3, r, r) uint8; returns (n, ...).
        """

    def classify(self, parts: Sequence[Examples], test: Tensor, classes: int, seed: int) -> Tensor:
        """Train on the parts, each with the same total weight, and return the classes of the test inputs.

        Shapes: test (m, ...); returns (m,) int64 on the CPU.
        """
