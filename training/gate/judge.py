"""Measures images against real images that neither a gate nor its teacher has seen."""

from functools import cached_property

from torch import Tensor

from models.quality_gate import GateEffect
from training.metrics import frechet, neighbours, realism
from training.metrics.frechet import Gaussian


class Judge:
    """Features of real images. Shapes: features (n, d)."""

    def __init__(self, features: Tensor) -> None:
        self.features = features

    def passes(self, fakes: Tensor) -> Tensor:
        """Return which images pass for real. Shapes: (n, d); returns (n,) bool."""
        half = len(self.features) // 2
        return realism.passes(fakes, self.features[:half], self.features[half:])

    def realism(self, fakes: Tensor) -> Tensor:
        """Return the logarithm of the realism score against all real images. Shapes: (n, d); returns (n,)."""
        return realism.score(fakes, neighbours.manifold(self.features)).log()

    def effect(self, keep: float, fakes: Tensor) -> GateEffect:
        """Measure images that a gate kept. Shapes: fakes (n, d)."""
        n = min(len(fakes), len(self.features))
        fidelity = neighbours.fidelity(neighbours.manifold(self.features[:n]), neighbours.manifold(fakes[:n]))
        return GateEffect.model_validate(
            {
                "keep": keep,
                "yield": float(self.passes(fakes).double().mean()),
                "fd": frechet.distance(self._gaussian, frechet.gaussian(fakes)),
                **fidelity._asdict(),
            }
        )

    @cached_property
    def _gaussian(self) -> Gaussian:
        return frechet.gaussian(self.features)
