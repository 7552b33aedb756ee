"""What a worker tells Redis while it works. An outage of Redis costs visibility here, never work."""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError

from worker.contracts.catalog import CatalogEntry, Numerics, PausedWorker, SetAside, SetAsides, WorkerEntry
from worker.contracts.queue.events import JobEvent
from worker.contracts.queue.redis_keys import (
    LEARNT_FIELD,
    LEASE_TTL_SECONDS,
    LIVE_TTL_SECONDS,
    MODELS_KEY,
    SET_ASIDE_TTL_SECONDS,
    STARTED_FIELD,
    WORKER_TTL_SECONDS,
    attempts_key,
    cancel_key,
    paused_key,
    progress_key,
    set_aside_key,
    worker_key,
)
from worker.contracts.queue.tasks import Task
from worker.queue.alive_file import AliveFile
from worker.queue.unsent_counts import UnsentCounts

_ENDED_TTL_SECONDS = 60
"""Of the progress of a job that has ended: somebody may just be reading that it has not."""

log = logging.getLogger(__name__)


class Heartbeat:
    """One worker's signs of life. A batch that hangs does not end them: the watchdog ends its worker."""

    def __init__(
        self,
        redis: Redis,
        name: str,
        device: str,
        numerics: Numerics,
        models: list[CatalogEntry],
        *,
        vgg19: str | None = None,
        set_aside: Sequence[SetAside] = (),
        heartbeat: AliveFile | None = None,
    ) -> None:
        self._redis = redis
        self._name = name
        self._device = device
        self.numerics = numerics
        self._models = models
        self._vgg19 = vgg19
        self._set_aside = SetAsides(files=tuple(set_aside))
        self._heartbeat = heartbeat or AliveFile()
        self.images_per_s: float | None = None
        self.trouble: str | None = None
        """Why this worker takes no tasks."""
        self.tally = UnsentCounts()

    def announce(self) -> None:
        """Say that this worker lives, and what it can render; or why it takes no tasks."""
        with OutageTolerated():
            pipeline = self._redis.pipeline(transaction=False)
            self._announce_worker(pipeline)
            pipeline.delete(paused_key(self._name) if self.trouble is None else worker_key(self._name))
            if self._set_aside.files:
                pipeline.set(set_aside_key(self._name), self._set_aside.model_dump_json(), ex=SET_ASIDE_TTL_SECONDS)
            for entry in self._models if self.trouble is None else ():
                pipeline.hset(MODELS_KEY, entry.name, entry.model_dump_json())
            self._send(pipeline)

    def retire(self) -> None:
        """Say that this worker is gone."""
        with OutageTolerated():
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.delete(worker_key(self._name), paused_key(self._name), set_aside_key(self._name))
            self._send(pipeline)

    def take_lease(self, key: str) -> bool:
        """Take a lease. False when somebody else holds it."""
        token = f"{self._name} {uuid4().hex}"
        with OutageTolerated():
            if self._redis.set(key, token, nx=True, ex=LEASE_TTL_SECONDS):
                return True
            # Ours, if the server was frozen: it did what we had given up waiting for, and refused when we tried again.
            return bool(self._redis.get(key) == token.encode())
        return True

    def renew(self, task: Task) -> None:
        """Keep the lease of a task while its work has no images to report."""
        with OutageTolerated():
            self._redis.set(task.lease_key, self._name, ex=LEASE_TTL_SECONDS)

    def drop_lease(self, key: str) -> None:
        """Give a lease back."""
        with OutageTolerated():
            self._redis.delete(key)

    def rendered(self, task: Task) -> None:
        """Renew the lease of a task whose images are there, and forget its attempts: no worker died of them."""
        with OutageTolerated():
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.set(task.lease_key, self._name, ex=LEASE_TTL_SECONDS)
            pipeline.hdel(attempts_key(task.job_id), task.queue_id)
            self._send(pipeline)

    def release(self, task: Task) -> None:
        """Give the lease of a task back, as the attempt has ended."""
        with OutageTolerated():
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.delete(task.lease_key)
            pipeline.hdel(attempts_key(task.job_id), task.queue_id)
            self._send(pipeline)

    def crashed_attempts(self, task: Task) -> int:
        """Count this attempt, and tell how many before it ended with their worker."""
        with OutageTolerated():
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.hincrby(attempts_key(task.job_id), task.queue_id, 1)
            pipeline.expire(attempts_key(task.job_id), LIVE_TTL_SECONDS)
            return int(pipeline.execute()[0]) - 1
        return 0

    def beat(self, task: Task, images_done: int) -> bool:
        """Renew the lease and report progress. True when the job has been cancelled."""
        return self._beat(task, (task.lease_key,), (str(task.shard), images_done), begins=True)

    def learn(self, task: Task, share: float, lease: str) -> bool:
        """Renew the leases of a task and of learning a style, and report progress. True when the job was cancelled."""
        return self._beat(task, (task.lease_key, lease), (LEARNT_FIELD, share), begins=False)

    def _beat(self, task: Task, leases: tuple[str, ...], progress: tuple[str, float], *, begins: bool) -> bool:
        with OutageTolerated():
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.exists(cancel_key(task.job_id))
            for lease in leases:
                pipeline.set(lease, self._name, ex=LEASE_TTL_SECONDS)
            key = progress_key(task.job_id)
            if begins:
                pipeline.hsetnx(key, STARTED_FIELD, str(time.time()))
            pipeline.hset(key, *progress)
            pipeline.expire(key, LIVE_TTL_SECONDS)
            self._announce_worker(pipeline)
            JobEvent(job_id=task.job_id, kind="progress").publish(pipeline)
            return bool(self._send(pipeline)[0])
        return False

    def ring_shard(self, job_id: str) -> None:
        """Tell who waits for a shard of a job."""
        with OutageTolerated():
            JobEvent(job_id=job_id, kind="shard").publish(self._redis)

    def ring_end(self, job_id: str) -> None:
        """Tell who waits for the end of a job. Its progress is soon forgotten, as its end is in the store."""
        with OutageTolerated():
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.expire(progress_key(job_id), _ENDED_TTL_SECONDS)
            JobEvent(job_id=job_id, kind="end").publish(pipeline)
            self._send(pipeline)

    def started(self, job_id: str) -> datetime | None:
        """Tell when the job's first shard began, if Redis still knows."""
        with OutageTolerated():
            value = self._redis.hget(progress_key(job_id), STARTED_FIELD)
            return datetime.fromtimestamp(float(value), UTC) if value else None
        return None

    def stop_siblings(self, job_id: str) -> None:
        """Tell the workers at other shards of a failed job to stop."""
        with OutageTolerated():
            self._redis.set(cancel_key(job_id), 1, ex=LIVE_TTL_SECONDS)

    def _send(self, pipeline: Pipeline) -> list[Any]:
        """Send a pipeline, and what was counted after it. Returns the answers."""
        with self.tally.sent_with(pipeline):
            return pipeline.execute()

    def _announce_worker(self, pipeline: Pipeline) -> None:
        self._heartbeat.beat()
        entry = WorkerEntry(
            name=self._name,
            device=self._device,
            numerics=self.numerics,
            models=tuple(entry.name for entry in self._models),
            sha256s=tuple(entry.sha256 for entry in self._models),
            images_per_s=self.images_per_s,
            vgg19=self._vgg19,
        )
        key = worker_key(self._name)
        if (trouble := self.trouble) is not None:
            key, entry = paused_key(self._name), PausedWorker(**dict(entry), reason=trouble)
        pipeline.set(key, entry.model_dump_json(), ex=WORKER_TTL_SECONDS)


class OutageTolerated:
    """A context in which failing to reach Redis is logged, and nothing else."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> bool:
        """Swallow errors of Redis."""
        if not isinstance(error, RedisError):
            return False
        log.warning("redis was not reached reason=%s", error)
        return True
