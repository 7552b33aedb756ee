import math

import pytest

from training import guard
from training.guard import GuardState, Signals
from training.metrics.figures import QuickFigures

MEANS = {"loss_g": 1.0, "loss_d": 1.0, "real_logit": 2.0, "fake_logit": -1.0}
NEW = GuardState()
DIVERSE = GuardState(best_coverage=0.6, had_diversity=True)


@pytest.mark.parametrize(
    ("signals", "memory", "words"),
    [
        (Signals(finite=False), NEW, "a loss is not a finite number"),
        (Signals(logit_gap=25.0), NEW, "25.0 apart, more than 20"),
        (Signals(logit_gap=math.nan), NEW, "nan apart"),
        (Signals(diversity=0.4), DIVERSE, "0.40 times as diverse as the data"),
        (Signals(diversity=math.nan), DIVERSE, "nan times as diverse as the data"),
        (Signals(diversity=0.9, coverage=0.29), DIVERSE, "coverage fell to 0.29 from 0.60"),
        (Signals(coverage=math.nan), DIVERSE, "coverage fell to nan"),
    ],
)
def test_what_goes_wrong_is_said(signals: Signals, memory: GuardState, words: str) -> None:
    assert words in (guard.find_fault(signals, memory) or "")


@pytest.mark.parametrize(
    ("signals", "memory"),
    [
        (Signals(), NEW),
        (Signals(logit_gap=19.0, diversity=0.6, coverage=0.31), DIVERSE),
        (Signals(diversity=0.1, coverage=0.01), NEW),
        (Signals(coverage=0.02), GuardState(best_coverage=0.09)),
    ],
    ids=["nothing measured", "within limits", "a young generator", "within the noise"],
)
def test_what_is_healthy_is_left_alone(signals: Signals, memory: GuardState) -> None:
    assert guard.find_fault(signals, memory) is None


def test_signals_come_from_means_and_probe() -> None:
    probe = QuickFigures(fd=100, precision=0.5, coverage=0.3, diversity=0.8)
    expected = Signals(finite=True, logit_gap=3.0, diversity=0.8, coverage=0.3)
    assert guard.gather_signals("bce", MEANS, probe) == expected
    assert guard.gather_signals("bce", MEANS | {"loss_g": math.inf}, None).finite is False


def test_a_wasserstein_critic_may_have_any_scale() -> None:
    assert guard.gather_signals("wasserstein", MEANS | {"real_logit": 1e6}, None).logit_gap is None


def test_the_guard_remembers_the_best_it_saw() -> None:
    memory = NEW.with_check(Signals(diversity=0.7, coverage=0.4)).with_check(Signals(diversity=0.6, coverage=0.2))
    assert memory.best_coverage == 0.4
    assert memory.had_diversity


def test_every_intervention_halves_the_learning_rates_and_doubles_gamma() -> None:
    memory = NEW.with_intervention("first").with_intervention("second")
    assert (memory.lr_factor, memory.gamma_factor) == (0.25, 4.0)
    assert memory.events == ("first", "second")
