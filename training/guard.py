"""Detects failing training, and remembers earlier interventions."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from training.metrics.figures import QuickFigures

MAX_INTERVENTIONS = 3
_LOGIT_GAP = 20.0
"""Largest difference between the mean logits of reals and fakes. Beyond it, gradients teach the generator nothing."""
_LOST = 0.5
"""A generator has collapsed below this share of the data's diversity, or of its best coverage."""
_MIN_COVERAGE = 0.1
"""Below this best coverage, a loss of half of it can be measurement noise."""


@dataclass(frozen=True)
class Signals:
    """The values that a check judges. A value that was not measured is None."""

    finite: bool = True
    """Whether all losses since the last check are finite."""
    logit_gap: float | None = None
    """Mean logit of reals minus that of fakes; None when the objective has no logit scale."""
    diversity: float | None = None
    """Mean distance between samples, relative to the mean distance between real images."""
    coverage: float | None = None


class GuardState(BaseModel):
    """The guard's memory of a run. It is stored in the run's state."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    interventions: int = 0
    best_coverage: float = 0.0
    had_diversity: bool = False
    """Whether the samples have ever reached the required diversity."""
    events: tuple[str, ...] = ()

    @property
    def lr_factor(self) -> float:
        """Factor of the scheduled learning rates. Every intervention halves it."""
        return 0.5**self.interventions

    @property
    def gamma_factor(self) -> float:
        """Factor of the scheduled gamma. Every intervention doubles it."""
        return 2.0**self.interventions

    def with_check(self, signals: Signals) -> "GuardState":
        """Return the state after a healthy check."""
        return self.model_copy(
            update={
                "best_coverage": max(self.best_coverage, signals.coverage or 0),
                "had_diversity": self.had_diversity or (signals.diversity or 0) >= _LOST,
            }
        )

    def with_intervention(self, event: str) -> "GuardState":
        """Return the state after an intervention."""
        return self.model_copy(update={"interventions": self.interventions + 1, "events": (*self.events, event)})


def find_fault(signals: Signals, guard_state: GuardState) -> str | None:
    """Return a sentence about the first fault, or None.

    Early in training a generator has low diversity. Only a generator that had diversity can collapse.
    """
    if not signals.finite:
        return "a loss is not a finite number"
    # `not <=` is true for NaN, too.
    if signals.logit_gap is not None and not abs(signals.logit_gap) <= _LOGIT_GAP:
        return f"the discriminator's logits lie {signals.logit_gap:.1f} apart, more than {_LOGIT_GAP:g}"
    if signals.diversity is not None and guard_state.had_diversity and not signals.diversity >= _LOST:
        return f"samples are {signals.diversity:.2f} times as diverse as the data, less than {_LOST:g}"
    # Coverage is judged relative to this run's best, because datasets differ.
    lost = guard_state.best_coverage * _LOST
    if signals.coverage is not None and guard_state.best_coverage >= _MIN_COVERAGE and not signals.coverage >= lost:
        return f"coverage fell to {signals.coverage:.2f} from {guard_state.best_coverage:.2f}"
    return None


def gather_signals(objective: str, means: Mapping[str, float], figures: QuickFigures | None) -> Signals:
    """Combine an epoch's mean losses with the measured figures, if there are any."""
    # A Wasserstein critic's logits have no scale of their own.
    gap = None if objective == "wasserstein" else means["real_logit"] - means["fake_logit"]
    measured = {} if figures is None else {"diversity": figures.diversity, "coverage": figures.coverage}
    return Signals(finite=all_finite(means.values()), logit_gap=gap, **measured)


def all_finite(values: Iterable[float]) -> bool:
    """Return whether every value is finite."""
    return all(map(math.isfinite, values))
