"""Callbacks of a run, and how it ended."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from training.record import EpochLine


@dataclass(frozen=True)
class Ending:
    """How a run ended, with the reason if it needs one."""

    outcome: Literal["finished", "stopped", "stopped early", "gave up"]
    reason: str = ""


@dataclass(frozen=True)
class RunListener:
    """Callbacks for steps, epochs and interventions, and a function that can stop the run."""

    # Defaults do nothing, so that a caller passes only the callbacks that it needs.
    on_step: Callable[[int], None] = lambda _step: None
    on_epoch: Callable[[EpochLine], None] = lambda _line: None
    on_event: Callable[[str], None] = lambda _sentence: None
    should_stop: Callable[[], bool] = lambda: False
