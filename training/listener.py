"""What a run tells its caller: its steps, epochs and interventions, and how it ended."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from training.record import EpochLine


@dataclass(frozen=True)
class Ending:
    """How a run ended, and why where that is not plain."""

    outcome: Literal["finished", "stopped", "stopped early", "gave up"]
    reason: str = ""


@dataclass(frozen=True)
class RunListener:
    """Hears of steps, epochs and interventions, and may ask to stop."""

    on_step: Callable[[int], None] = lambda _step: None
    on_epoch: Callable[[EpochLine], None] = lambda _line: None
    on_event: Callable[[str], None] = lambda _sentence: None
    should_stop: Callable[[], bool] = lambda: False
