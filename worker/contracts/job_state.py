"""The end of a job: its outcome, and when its images expire."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from worker.contracts.jobs import JobSpec

MOST_TTL_HOURS = 876_000
"""A hundred years. Much longer times exceed the range of datetime."""
FAILED_TTL_HOURS = 1
"""Hours that the images of a failed job are kept."""


def _is_none(value: object) -> bool:
    return value is None  # older programs read the states of jobs whose images were not removed


class JobError(BaseModel):
    """Why a job failed: a stable code and a sentence, never a traceback."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    message: str


class JobState(BaseModel):
    """The end of a job. The first state that is written counts; later ones are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcome: Literal["succeeded", "failed", "cancelled"]
    started: datetime | None
    """Start of the first shard; None if Redis has lost it."""
    finished: datetime
    error: JobError | None = None
    removed: datetime | None = Field(default=None, exclude_if=_is_none)
    """When the owner removed the images. It is added later; nothing else of a state ever changes."""

    @property
    def is_removed(self) -> bool:
        """Whether the images went before their time: the job was cancelled, or the owner removed them."""
        return self.outcome == "cancelled" or self.removed is not None

    def expires(self, spec: JobSpec) -> datetime:
        """Return when the images are removed. The spec stays, so that a rebuild can make the same images.

        An end before `created` comes from a worker whose clock is behind. Then the images are kept from `created` on.
        """
        if self.removed is not None:
            return self.removed
        # Old specs may have a longer time than today's limit, and datetime would overflow.
        kept = {"succeeded": min(spec.ttl_hours, MOST_TTL_HOURS), "failed": FAILED_TTL_HOURS, "cancelled": 0}
        return max(self.finished, spec.created) + timedelta(hours=kept[self.outcome])

    def has_expired(self, spec: JobSpec, now: datetime) -> bool:
        """Return whether the images may have been removed."""
        return self.removed is not None or self.expires(spec) <= now
