"""The JSON objects of training runs."""

from datetime import datetime
from math import isfinite
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _finite_or_none(value: object) -> object:
    """Replace NaN and infinity, which JSON does not have. A log writes them as strings."""
    try:
        return value if value is None or isfinite(float(str(value))) else None
    except ValueError:
        return value  # not a number: validation rejects it


Finite = Annotated[float | None, BeforeValidator(_finite_or_none)]
"""A number of a log; None for NaN and infinity."""


class Epoch(BaseModel):
    """One line of a run's log: means over one epoch."""

    # A newer trainer may write more. The page shows what it knows.
    model_config = ConfigDict(frozen=True, extra="ignore")

    epoch: int
    images_seen: int
    loss_g: Finite = None
    loss_d: Finite = None
    real_score: Finite = None
    """Mean sigmoid of the discriminator's logits of real images."""
    fake_score: Finite = None
    images_per_s: Finite = None
    seconds: Finite = None
    """Training time since the start of the run."""
    metrics: dict[str, Finite] = {}
    events: tuple[str, ...] = ()
    """Interventions of the guard since the previous line, one sentence each."""


class RunSummary(BaseModel):
    """One training run."""

    number: int
    name: str
    """Name of the folder without its number: the recipe and the data."""
    state: Literal["running", "ended"]
    """`running` while a process trains the run. Its lock on the folder shows it."""
    epochs: int
    images_seen: int
    seconds: Finite
    """Training time."""
    metrics: dict[str, Finite]
    """Metrics of the last check."""
    events: int
    """Number of interventions of the guard."""
    updated_at: datetime | None
    """Time of the last line of the log."""


class Run(RunSummary):
    """One training run with its files."""

    samples: list[int]
    """Images seen at each contact sheet of samples, in ascending order. They are the names of the sheets."""
    checkpoints: list[str]
    """Names of the checkpoints in the folder."""


class RunList(BaseModel):
    """The training runs, the newest first."""

    has_folder: bool
    """Whether the service has been given a folder of runs."""
    runs: list[RunSummary]


class RunLog(BaseModel):
    """Lines of a run's log."""

    lines: list[Epoch]
    next: int
    """Number of lines so far: send it as `after`. It is smaller than `after` if a resumed run dropped lines."""


class LogQuery(BaseModel):
    """The query of GET /runs/{number}/log."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: int = Field(default=0, ge=0, description="Number of lines that the client has.")
