"""What a job is, from the request until its end, as both sides read it from the store."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from worker.contracts.catalog import CatalogEntry

JOB_ID_PATTERN = r"^[A-Za-z0-9_-]{22}$"
"""22 characters from `secrets.token_urlsafe(16)`."""

JobId = Annotated[str, StringConstraints(pattern=JOB_ID_PATTERN)]


class JobSpec(BaseModel):
    """The accepted request, written once before the job is queued and never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    id: JobId
    model: CatalogEntry
    class_label: str | None
    """The one class asked for; None on a conditional model means all of them in turn."""
    n: int = Field(ge=1)
    seed: int = Field(ge=0)
    shard_images: int = Field(ge=1)
    created: datetime

    @property
    def shard_count(self) -> int:
        """Number of shards that the job is cut into."""
        return -(-self.n // self.shard_images)

    def shard_indices(self, shard: int) -> range:
        """Image indices of one shard; the last shard may be shorter."""
        start = shard * self.shard_images
        return range(start, min(start + self.shard_images, self.n))

    def labels(self, indices: range) -> list[int]:
        """Find the class labels of images; empty when the model is unconditional.

        Without a chosen class, labels take turns by index, so that a longer job starts with the shorter one.
        """
        if not self.model.classes:
            return []
        if self.class_label is not None:
            return [self.model.classes.index(self.class_label)] * len(indices)
        return [index % len(self.model.classes) for index in indices]

    def class_name(self, index: int) -> str | None:
        """Name an image's class; None when the model is unconditional."""
        labels = self.labels(range(index, index + 1))
        return self.model.classes[labels[0]] if labels else None


class JobError(BaseModel):
    """Why a job failed: a stable code and a sentence, never a traceback."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    message: str


class JobState(BaseModel):
    """How a job ended. Whoever writes it first decides."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcome: Literal["succeeded", "failed", "cancelled"]
    started: datetime | None
    """When the first shard began, if that is still known."""
    finished: datetime
    error: JobError | None = None
