"""Events of jobs, published on one Redis channel."""

from typing import Literal

from pydantic import BaseModel, ConfigDict
from redis import Redis

from worker.contracts.pieces import JobId

EVENTS_CHANNEL = "imagemill:bell"
"""Pub/sub channel of JobEvent JSON."""


class JobEvent(BaseModel):
    """An event of a job. It can be lost, so subscribers must also read the store and the progress hash regularly."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job_id: JobId
    kind: Literal["progress", "shard", "end"]
    """More images were rendered, a shard was committed, or the job has ended."""

    def publish(self, redis: Redis) -> None:
        """Publish the event. `redis` may be a pipeline."""
        redis.publish(EVENTS_CHANNEL, self.model_dump_json())
