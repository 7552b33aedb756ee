"""The parameters of the list of jobs."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.parameter_types import REJECT_ODD_SPELLING
from worker.contracts.jobs import JobName
from worker.contracts.store.job_list import CURSOR_PATTERN

MAX_LISTED_JOBS = 200
"""Largest number of jobs in one response."""


class JobListQuery(BaseModel):
    """The page and the filters of a list of jobs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MAX_LISTED_JOBS), REJECT_ODD_SPELLING] = Field(
        default=50, description="Largest number of jobs in the response. Default: 50."
    )
    after: Annotated[str, Field(pattern=CURSOR_PATTERN)] | None = Field(
        default=None, description="The `next` of an earlier response, to continue the list."
    )
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"] | None = Field(
        default=None, description="List only jobs in this state."
    )
    model: str | None = Field(default=None, description="List only jobs of this model: its name or its sha256.")
    name: JobName | None = Field(default=None, description="List only jobs of this name.")
