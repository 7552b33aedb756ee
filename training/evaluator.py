"""Measures samples of the averaged generator against the data while a run trains."""

import time
from collections.abc import Callable
from typing import NamedTuple

from torch import nn

from models.registry import Architecture
from training import samples
from training.batch_loader import memory_bytes
from training.errors import MetricsError
from training.metrics import features, figures, frechet, reference
from training.metrics.figures import LEAST_REALS, QUICK_POINTS
from training.metrics.reference import Reference
from training.run_plan import RunPlan

_TIMED_IMAGES = 8
"""Number of images that are timed for an estimate."""
_MEMORY_SHARE = 0.1
"""Largest share of a device's free memory that the features of the data may take."""
SEED = 2
"""Seed of the measured samples. The grid uses seed 0, and the batch-norm statistics use seed 1."""


class Evaluator:
    """A feature network and the features of the data."""

    def __init__(self, plan: RunPlan, progress: Callable[[int], None]) -> None:
        """Extract the data's features, or read them. `progress` receives the number of finished images.

        Raises MetricsError when the data have too few images, or when a package is missing.
        """
        count = plan.dataset.description.count
        if count < LEAST_REALS:
            raise MetricsError(f"{count} images are too few; at least {LEAST_REALS} are needed")
        self._extractor = features.load("efflite0", plan.device)
        found = reference.load_or_extract(plan.dataset, self._extractor, plan.data, progress)
        fits = found.features.nbytes <= memory_bytes(plan.device) * _MEMORY_SHARE
        self._device = plan.device if fits else found.features.device
        """Device that computes the figures."""
        self._reference: Reference = found.on(self._device)
        self._count = min(QUICK_POINTS, count)

    def measure(self, average: nn.Module, architecture: Architecture) -> figures.QuickFigures:
        """Measure at most 2000 samples, with labels in the proportions of the data."""
        # The same labels and latents at every check, so that only the weights differ.
        labels = self._reference.labels_in_proportion(self._count) if architecture.classes else None
        fakes = samples.render(average, architecture.latent_dim, SEED, range(self._count), labels)
        return figures.measure_quickly(self._reference, self._extractor(fakes).to(self._device))

    def measure_floor(self) -> dict[str, float]:
        """Measure one half of the real images against the other half: the best result that a generator can reach.

        Empty when there are too few images for two halves.
        """
        first, second = self._reference.halves()
        return (
            {}
            if len(first.features) < LEAST_REALS
            else self.name_figures(figures.measure_quickly(first, second.features))
        )

    def name_figures(self, found: figures.QuickFigures) -> dict[str, float]:
        """Name figures together with their feature network."""
        return figures.name_figures(found, self._extractor.name)


class Cost(NamedTuple):
    """Seconds that measuring takes on this machine, extrapolated from a few images."""

    reals: float = 0.0
    """Seconds for all real images, before the first run on a dataset."""
    check: float = 0.0
    """Seconds for the samples of one check."""


def estimate_cost(plan: RunPlan) -> Cost:
    """Estimate the cost of measuring a run. Writes no file."""
    if not plan.recipe.guard or plan.dataset.description.count < LEAST_REALS:
        return Cost()
    try:
        extractor = features.load("efflite0", plan.device)
    except MetricsError:
        return Cost()
    some = plan.dataset.images[:_TIMED_IMAGES]
    found = extractor(some)
    started = time.monotonic()
    # The first call also paid for allocations and kernel choice, so the second is timed.
    extractor(some)
    per_image = (time.monotonic() - started) / len(some)
    gaussian = frechet.gaussian(found.to(plan.device))
    started = time.monotonic()
    frechet.distance(gaussian, gaussian)
    count, roots = plan.dataset.description.count, time.monotonic() - started
    reals = 0.0 if reference.is_cached(plan.dataset, extractor, plan.data) else count * per_image
    return Cost(reals + roots, min(QUICK_POINTS, count) * per_image + roots)
