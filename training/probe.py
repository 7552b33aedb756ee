"""The eye on a run: renders samples of the average and measures them against the data, now and then."""

from collections.abc import Callable

from torch import nn

from models.registry import Architecture
from training import render
from training.errors import MetricsError
from training.metrics import features, figures, reference
from training.metrics.figures import LEAST_REALS, PROBE_POINTS
from training.metrics.reference import Reference
from training.plan import Plan

SEED = 2
"""Of the samples that are measured: other ones than those of the grid (0) and of settling (1)."""


class Eye:
    """A feature network and the data's features, ready to measure a generator."""

    def __init__(self, plan: Plan, progress: Callable[[int], None]) -> None:
        self._extractor = features.load("efflite0", plan.device)
        self._reference: Reference = reference.of(plan.dataset, self._extractor, plan.data, progress)
        self._count = min(PROBE_POINTS, plan.dataset.description.count)

    def look(self, average: nn.Module, architecture: Architecture) -> figures.Probe:
        """Measure at most 2000 samples with labels in the data's proportions."""
        labels = self._reference.labels_like(self._count) if architecture.classes else None
        fakes = render.samples(average, architecture.latent_dim, SEED, range(self._count), labels)
        return figures.probe(self._reference, self._extractor(fakes))

    def floor(self) -> dict[str, float]:
        """Measure half of the real images against the other half: what no generator can be expected to beat.

        Empty where there are too few images for two halves.
        """
        first, second = self._reference.halves()
        return {} if len(first.features) < LEAST_REALS else self.named(figures.probe(first, second.features))

    def named(self, probe: figures.Probe) -> dict[str, float]:
        """Name a probe's figures together with their extractor."""
        return figures.named(probe, self._extractor.name)


def opened(plan: Plan, progress: Callable[[int], None]) -> Eye | str:
    """Open an eye, or tell why there is none; where none is wanted, in no words.

    `progress` hears how many real images are measured, where that was not done before.
    """
    count = plan.dataset.description.count
    if not plan.recipe.guard:
        return ""
    if count < LEAST_REALS:
        return f"{count} images are too few, at least {LEAST_REALS} are wanted"
    try:
        return Eye(plan, progress)
    except MetricsError as error:
        return str(error)
