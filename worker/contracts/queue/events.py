"""Events of jobs, published on one Redis channel."""

from typing import Literal

from pydantic import BaseModel, ConfigDict
from redis import Redis

from worker.contracts.jobs import JobId

EVENTS_CHANNEL = "imagemill:bell"
"""Pub/sub channel of Rings."""


class JobEvent(BaseModel):
    """News of a job, for whoever waits. It can be lost: the store and the progress hash know what is true."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job_id: JobId
    kind: Literal["progress", "shard", "end"]
    """More images rendered, a shard committed, a job that has ended."""

    def publish(self, redis: Redis) -> None:
        """Wake those who wait for it; in a pipeline, with the rest of it."""
        redis.publish(EVENTS_CHANNEL, self.model_dump_json())
