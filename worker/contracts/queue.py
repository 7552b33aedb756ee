"""The vocabulary of the queue server: RQ queues, two tasks, and the keys that say what is live."""

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from worker.contracts.jobs import JobId

MODELS_KEY = "imagemill:models"
"""Hash of model name to CatalogEntry JSON; it outlives the workers."""
SEEN_KEY = "imagemill:seen"
"""Hash of a numerics' name to when a worker of it was last seen, in seconds since the epoch."""
WORKER_KEYS = "imagemill:worker:*"
PAUSED_KEYS = "imagemill:paused:*"
"""Of workers that are alive and take no tasks."""
WORKER_TTL_SECONDS = 30
LEASE_TTL_SECONDS = 15
"""A lease is renewed after every batch, so this also bounds the length of one."""
_RETRY_SECONDS = 0.05
_CONNECT_SECONDS = 2.0
_QUEUE = re.compile(r"imagemill:([a-z0-9-]+):(short|long)")
SET_ASIDE_TTL_SECONDS = 3600
"""Longer than a shard takes. Only the files of live workers are read."""
LIVE_TTL_SECONDS = 7 * 24 * 3600
"""Progress and cancel flags of a job; the store knows the truth, these keys only make it visible sooner."""
STARTED_FIELD = "started"
"""Field of the progress hash: when the first shard began, in seconds since the epoch."""
LEARNT_FIELD = "learnt"
"""Field of the progress hash: how much of its style the generator has learnt, from 0 to 1."""


BELL = "imagemill:bell"
"""Pub/sub channel of Rings."""


class Ring(BaseModel):
    """News of a job, for whoever waits. It can be lost: the store and the progress hash know what is true."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job_id: JobId
    kind: Literal["progress", "shard", "end"]
    """More images rendered, a shard committed, a job that has ended."""

    def publish(self, redis: Redis) -> None:
        """Wake those who wait for it; in a pipeline, with the rest of it."""
        redis.publish(BELL, self.model_dump_json())


class Task(BaseModel):
    """One unit of work on the queue; everything else about it is read from the store."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Literal["render_shard", "finalise"]
    job_id: JobId
    shard: Annotated[int, Field(ge=0)] | None = None
    until: Annotated[int, Field(ge=0)] | None = None
    """Whoever takes this task queues that of the next shard, up to this one: a job stands in line once at a time."""

    @model_validator(mode="after")
    def _check_shard(self) -> Self:
        if (self.shard is None) != (self.name == "finalise"):
            raise ValueError(f"{self.name} came with shard {self.shard}")
        return self

    @classmethod
    def render_shard(cls, job_id: str, shard: int, until: int | None = None) -> Self:
        """Make the task that renders one shard, and brings the next ones if `until` says so."""
        return cls(name="render_shard", job_id=job_id, shard=shard, until=until)

    @classmethod
    def finalise(cls, job_id: str) -> Self:
        """Make the task that closes a job whose shards are all there."""
        return cls(name="finalise", job_id=job_id)

    @property
    def successor(self) -> "Task | None":
        """The task to queue when this one begins."""
        if self.shard is None or self.until is None or self.shard + 1 >= self.until:
            return None
        return self.render_shard(self.job_id, self.shard + 1, self.until)

    @property
    def queue_id(self) -> str:
        """The task's RQ id: the same task always has the same one."""
        return f"{self.job_id}-{'end' if self.shard is None else self.shard}"

    @property
    def lease_key(self) -> str:
        """Key that exists while a worker is at work on this task."""
        return lease_key(self.queue_id)


def queue_names(numerics: str) -> tuple[str, str]:
    """RQ queues of the workers of one kind: short jobs, which are taken first, and long ones."""
    return f"imagemill:{numerics}:short", f"imagemill:{numerics}:long"


def queue_parts(name: str) -> tuple[str, str] | None:
    """Take a queue's name apart, into numerics and length of the jobs; None when it is no queue of ours."""
    match = _QUEUE.fullmatch(name)
    return (match[1], match[2]) if match else None


def turns_key(name: str) -> str:
    """Hash of owner to the turn of their last task in a queue; it is there as long as somebody waits."""
    return f"{name}:turns"


def lease_key(queue_id: str) -> str:
    """Key that exists while a worker is at work on a task."""
    return f"imagemill:lease:{queue_id}"


def learning_key(lesson: str) -> str:
    """Key that exists while a worker lets a generator learn a style."""
    return f"imagemill:learning:{lesson}"


def progress_key(job_id: str) -> str:
    """Hash of shard number to images rendered so far."""
    return f"imagemill:progress:{job_id}"


def cancel_key(job_id: str) -> str:
    """Flag that tells workers to stop within one batch."""
    return f"imagemill:cancel:{job_id}"


def attempts_key(job_id: str) -> str:
    """Hash of RQ id to attempts that began and never ended, as their worker died."""
    return f"imagemill:attempts:{job_id}"


def worker_key(name: str) -> str:
    """Key of one live worker, holding its WorkerEntry JSON."""
    return WORKER_KEYS.replace("*", name)


def paused_key(name: str) -> str:
    """Key of one worker that takes no tasks, holding its PausedWorker JSON."""
    return PAUSED_KEYS.replace("*", name)


def set_aside_key(name: str) -> str:
    """Key of the files that a live worker has set aside, SetAsides JSON.

    It is a key of its own, as older versions refuse announcements with new fields.
    """
    return f"imagemill:set-aside:{name}"


def connect(url: str, timeout_seconds: float, retries: int = 1, password: bytes | None = None) -> Redis:
    """Open a connection pool that fails fast: one quick retry, and then the caller decides."""
    retry = Retry(ConstantBackoff(_RETRY_SECONDS), retries)
    connecting = min(_CONNECT_SECONDS, timeout_seconds)
    return Redis.from_url(
        url,
        password=password,
        retry=retry,
        socket_connect_timeout=connecting,
        socket_timeout=timeout_seconds,
    )


def connect_async(url: str, timeout_seconds: float, password: bytes | None = None) -> AsyncRedis:
    """Open a connection pool for a loop of events; it fails as fast."""
    retry = AsyncRetry(ConstantBackoff(_RETRY_SECONDS), 1)
    return AsyncRedis.from_url(
        url,
        password=password,
        retry=retry,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=timeout_seconds,
    )
