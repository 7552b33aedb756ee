"""The two tasks of the queue."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from worker.contracts.pieces import JobId
from worker.contracts.queue.redis_keys import lease_key


class Task(BaseModel):
    """One unit of work in the queue. Everything else about the job is read from the store."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Literal["render_shard", "finalise"]
    job_id: JobId
    shard: Annotated[int, Field(ge=0)] | None = None
    until: Annotated[int, Field(ge=0)] | None = None
    """Shard number before which the chain of tasks ends; None if no task follows.

    The worker that takes a task queues the one of the next shard. So a job has only one task in the queue at a time.
    """

    @model_validator(mode="after")
    def _check_shard(self) -> Self:
        if (self.shard is None) != (self.name == "finalise"):
            raise ValueError(f"{self.name} came with shard {self.shard}")
        return self

    @classmethod
    def render_shard(cls, job_id: str, shard: int, until: int | None = None) -> Self:
        """Return the task that renders one shard. With `until`, the tasks of the next shards follow it."""
        return cls(name="render_shard", job_id=job_id, shard=shard, until=until)

    @classmethod
    def finalise(cls, job_id: str) -> Self:
        """Return the task that finishes a job whose shards are all committed."""
        return cls(name="finalise", job_id=job_id)

    @property
    def successor(self) -> "Task | None":
        """The task to queue when this one begins, if any."""
        if self.shard is None or self.until is None or self.shard + 1 >= self.until:
            return None
        return self.render_shard(self.job_id, self.shard + 1, self.until)

    @property
    def queue_id(self) -> str:
        """The task's RQ id, a function of job and shard."""
        return f"{self.job_id}-{'end' if self.shard is None else self.shard}"

    @property
    def lease_key(self) -> str:
        """Redis key that exists while a worker works on this task."""
        return lease_key(self.queue_id)
