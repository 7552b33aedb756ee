"""What tells that training goes wrong, and what is done about it."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from training.metrics.figures import QuickFigures

MAX_INTERVENTIONS = 3
_LOGIT_GAP = 20.0
"""Of mean logits of reals and fakes; beyond it the generator learns nothing that it could use."""
_LOST = 0.5
"""Share of the data's diversity, or of the best coverage, under which a generator has collapsed."""
_MIN_COVERAGE = 0.1
"""Under this, half of the best coverage is within the noise of measuring it."""


@dataclass(frozen=True)
class Signals:
    """What a check sees of a run. What was not measured is None."""

    finite: bool = True
    """Whether all losses since the last check are numbers."""
    logit_gap: float | None = None
    """Mean logit of reals less that of fakes; None where the objective gives logits no scale."""
    diversity: float | None = None
    """Mean distance between samples, as a share of the data's."""
    coverage: float | None = None


class GuardState(BaseModel):
    """What the guard remembers of a run; a part of the run's state."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    interventions: int = 0
    best_coverage: float = 0.0
    had_diversity: bool = False
    """Whether samples were ever as diverse as they must stay."""
    events: tuple[str, ...] = ()

    @property
    def lr_factor(self) -> float:
        """Share of the scheduled learning rates: halved by every intervention."""
        return 0.5**self.interventions

    @property
    def gamma_factor(self) -> float:
        """By which the scheduled gamma is multiplied: doubled by every intervention."""
        return 2.0**self.interventions

    def with_check(self, signals: Signals) -> "GuardState":
        """Remember a healthy check."""
        return self.model_copy(
            update={
                "best_coverage": max(self.best_coverage, signals.coverage or 0),
                "had_diversity": self.had_diversity or (signals.diversity or 0) >= _LOST,
            }
        )

    def with_intervention(self, event: str) -> "GuardState":
        """Remember an intervention."""
        return self.model_copy(update={"interventions": self.interventions + 1, "events": (*self.events, event)})


def find_fault(signals: Signals, guard_state: GuardState) -> str | None:
    """Find what is wrong, as a sentence; None when nothing is.

    A young generator is not diverse yet: only one that was can collapse.
    """
    if not signals.finite:
        return "a loss is not a finite number"
    if signals.logit_gap is not None and not abs(signals.logit_gap) <= _LOGIT_GAP:
        return f"the discriminator's logits lie {signals.logit_gap:.1f} apart, more than {_LOGIT_GAP:g}"
    if signals.diversity is not None and guard_state.had_diversity and not signals.diversity >= _LOST:
        return f"samples are {signals.diversity:.2f} times as diverse as the data, less than {_LOST:g}"
    lost = guard_state.best_coverage * _LOST
    if signals.coverage is not None and guard_state.best_coverage >= _MIN_COVERAGE and not signals.coverage >= lost:
        return f"coverage fell to {signals.coverage:.2f} from {guard_state.best_coverage:.2f}"
    return None


def gather_signals(objective: str, means: Mapping[str, float], figures: QuickFigures | None) -> Signals:
    """Gather what a check sees from an epoch's means and from a figures, where there is one."""
    # A Wasserstein critic's logits have no scale of their own.
    gap = None if objective == "wasserstein" else means["real_logit"] - means["fake_logit"]
    measured = {} if figures is None else {"diversity": figures.diversity, "coverage": figures.coverage}
    return Signals(finite=all_finite(means.values()), logit_gap=gap, **measured)


def all_finite(values: Iterable[float]) -> bool:
    """Tell whether every value is a number."""
    return all(map(math.isfinite, values))
