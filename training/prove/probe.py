"""A linear classifier on the features of a pretrained network: the usual choice for few images."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from training.metrics.features import Extractor
from training.prove.examples import Examples

_PENALTY = 0.1
"""Weight of the squared weights. Of 0.0001 to 0.1, it was best for real images alone, at 50 and 200 per class."""
_STEPS = 100
"""Most iterations of L-BFGS. The loss is convex, so most fits end earlier."""


class LinearProbe:
    """Softmax regression by L-BFGS."""

    name = "probe"

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor

    def prepare(self, images: Tensor, progress: Callable[[int], None]) -> Tensor:
        """Extract features. Shapes: images (n, 3, r, r) uint8; returns (n, d) float32."""
        return self._extractor(images, progress)

    def classify(self, parts: Sequence[Examples], test: Tensor, classes: int, seed: int) -> Tensor:  # noqa: ARG002
        """Fit the parts and classify the test features. The result does not depend on the seed.

        Shapes: test (m, d); returns (m,) int64.
        """
        inputs, labels = torch.cat([part.inputs for part in parts]), torch.cat([part.labels for part in parts])
        shares = torch.cat([torch.full((len(part),), 1 / (len(parts) * len(part))) for part in parts])
        centre = shares @ inputs
        # One scale for all features, so that the penalty means the same for every network.
        scale = (shares @ (inputs - centre).square()).mean().sqrt().clamp_min(1e-12)
        weights, biases = _fit((inputs - centre) / scale, labels, shares, classes)
        return ((test - centre) / scale @ weights + biases).argmax(1)


def _fit(inputs: Tensor, labels: Tensor, shares: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Return weights (d, classes) and biases (classes,) of the least penalised loss."""
    weights = torch.zeros(inputs.shape[1], classes, requires_grad=True)
    biases = torch.zeros(classes, requires_grad=True)
    optimiser: Any = torch.optim.LBFGS(
        [weights, biases], max_iter=_STEPS, tolerance_grad=1e-5, tolerance_change=1e-6, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        losses = cross_entropy(inputs @ weights + biases, labels, reduction="none")
        total = shares @ losses + _PENALTY * weights.square().sum()
        torch.autograd.backward(total)
        return total

    optimiser.step(loss)
    return weights.detach(), biases.detach()
