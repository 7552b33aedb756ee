"""Reports of a worker to Redis: announcements, leases and progress.

During an outage of Redis the reports are lost, but the worker goes on.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from redis import Redis
from redis.client import Pipeline

from worker.contracts.catalog import (
    CatalogEntry,
    ModelFacts,
    Numerics,
    PausedWorker,
    SetAside,
    SetAsides,
    WorkerEntry,
    offers,
)
from worker.contracts.formats import ARCHIVE_VERSION
from worker.contracts.queue.events import JobEvent
from worker.contracts.queue.redis_keys import (
    COSTS_TTL_SECONDS,
    DISTILLED_FIELD,
    LEASE_TTL_SECONDS,
    LIVE_TTL_SECONDS,
    MODEL_FACTS_KEY,
    MODELS_KEY,
    SET_ASIDE_TTL_SECONDS,
    STARTED_FIELD,
    WORKER_TTL_SECONDS,
    attempts_key,
    cancel_key,
    costs_key,
    paused_key,
    progress_key,
    set_aside_key,
    worker_key,
)
from worker.contracts.queue.tasks import Task
from worker.queue.alive_file import AliveFile
from worker.queue.cost_meter import CostMeter
from worker.queue.redis_outage import tolerating_outage
from worker.queue.unsent_counts import UnsentCounts

_ENDED_TTL_SECONDS = 60
"""Lifetime of the progress of a job that has ended.

It is not zero, because a request may have read the job's state from the store just before its end.
"""


class Heartbeat:
    """Announces one worker, renews its leases and reports its progress.

    It does not notice a batch that hangs: the watchdog ends such a worker.
    """

    def __init__(
        self,
        redis: Redis,
        name: str,
        device: str,
        numerics: Numerics,
        models: list[CatalogEntry],
        *,
        facts: Sequence[ModelFacts] = (),
        vgg19: str | None = None,
        set_aside: Sequence[SetAside] = (),
        alive_file: AliveFile | None = None,
        answers_directly: bool = False,
        threads: int = 1,
        styled_together: int = 1,
    ) -> None:
        self._redis = redis
        self._name = name
        self.numerics = numerics
        self._models = models
        self._facts = facts
        self._gates = tuple(each.gate for each in facts if each.gate is not None)
        self._vgg19 = vgg19
        self._set_aside = SetAsides(files=tuple(set_aside))
        self._alive_file = alive_file or AliveFile()
        self._entry = WorkerEntry(
            name=name,
            device=device,
            numerics=numerics,
            models=tuple(entry.name for entry in models),
            sha256s=tuple(entry.sha256 for entry in models),
            images_per_s=None,
            vgg19=vgg19,
            gates=self._gates,
            archive_version=ARCHIVE_VERSION,
            answers_directly=answers_directly,
            draws_points=answers_directly,
        )
        self.images_per_s: float | None = None
        self.pause_reason: str | None = None
        """Reason why this worker takes no tasks; None while it does."""
        self.counts = UnsentCounts()
        self.cost_meter = CostMeter(threads, styled_together)

    @property
    def offers(self) -> frozenset[str]:
        """Values of `JobSpec.needs` that this worker can render."""
        return offers((entry.sha256 for entry in self._models), self._vgg19, self._gates)

    @tolerating_outage(default=None)
    def announce(self) -> None:
        """Announce this worker and its models, or the reason why it takes no tasks."""
        pipeline = self._redis.pipeline(transaction=False)
        self._announce_worker(pipeline)
        # A worker is announced under one of two keys. The other one may be left from before its state changed.
        pipeline.delete(paused_key(self._name) if self.pause_reason is None else worker_key(self._name))
        if self._set_aside.files:
            pipeline.set(set_aside_key(self._name), self._set_aside.model_dump_json(), ex=SET_ASIDE_TTL_SECONDS)
        costs = self.cost_meter.costs
        if costs.models:
            pipeline.set(costs_key(self._name), costs.model_dump_json(), ex=COSTS_TTL_SECONDS)
        for facts in self._facts if self.pause_reason is None else ():
            # Of two workers with the same model, one with a quality gate knows more.
            announce = pipeline.hsetnx if facts.gate is None else pipeline.hset
            announce(MODEL_FACTS_KEY, facts.model_sha256, facts.model_dump_json())
        # Models come after their facts. Otherwise a request could find a model without its gate, and get a final 422.
        for entry in self._models if self.pause_reason is None else ():
            pipeline.hset(MODELS_KEY, entry.name, entry.model_dump_json())
        self._send(pipeline)

    @tolerating_outage(default=None)
    def retire(self) -> None:
        """Remove the announcement of this worker."""
        pipeline = self._redis.pipeline(transaction=False)
        keys = (worker_key, paused_key, set_aside_key, costs_key)
        pipeline.delete(*(key(self._name) for key in keys))
        self._send(pipeline)

    @tolerating_outage(default=True)
    def acquire_lease(self, key: str) -> bool:
        """Acquire a lease. Returns False if another worker holds it, and True during an outage of Redis."""
        token = f"{self._name} {uuid4().hex}"
        if self._redis.set(key, token, nx=True, ex=LEASE_TTL_SECONDS):
            return True
        # The lease may be ours although the server refused it. If the server was frozen, our first SET timed out
        # but was still done later; the client's retry was then refused. The token tells the two cases apart.
        return bool(self._redis.get(key) == token.encode())

    @tolerating_outage(default=None)
    def renew_lease(self, task: Task) -> None:
        """Renew the lease of a task without a report of progress."""
        self._redis.set(task.lease_key, self._name, ex=LEASE_TTL_SECONDS)

    @tolerating_outage(default=None)
    def release_lease(self, key: str) -> None:
        """Release a lease."""
        self._redis.delete(key)

    @tolerating_outage(default=None)
    def mark_rendered(self, task: Task) -> None:
        """Renew the lease of a task whose images are rendered, and reset its count of attempts.

        From here on, a worker that dies was not killed by rendering this shard.
        """
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.set(task.lease_key, self._name, ex=LEASE_TTL_SECONDS)
        pipeline.hdel(attempts_key(task.job_id), task.queue_id)
        self._send(pipeline)

    @tolerating_outage(default=None)
    def end_attempt(self, task: Task) -> None:
        """Release the lease of a task and reset its count of attempts."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.delete(task.lease_key)
        pipeline.hdel(attempts_key(task.job_id), task.queue_id)
        self._send(pipeline)

    @tolerating_outage(default=0)
    def begin_attempt(self, task: Task) -> int | None:
        """Acquire the lease of a task, and count this attempt, in one round trip.

        Returns the number of earlier attempts whose worker died; None if another worker holds the lease. During an
        outage of Redis it returns 0.
        """
        token = f"{self._name} {uuid4().hex}"
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.set(task.lease_key, token, nx=True, ex=LEASE_TTL_SECONDS)
        pipeline.get(task.lease_key)  # the lease may be ours although it was refused: see acquire_lease
        # Every attempt that ends resets the count. So the rest are attempts whose worker died before the end.
        pipeline.hincrby(attempts_key(task.job_id), task.queue_id, 1)
        pipeline.expire(attempts_key(task.job_id), LIVE_TTL_SECONDS)
        is_new, holder, attempts, _ = pipeline.execute()
        if is_new or holder == token.encode():
            return max(0, int(attempts) - 1)
        self._redis.hincrby(attempts_key(task.job_id), task.queue_id, -1)
        return None

    @tolerating_outage(default=None)
    def withdraw_attempt(self, task: Task) -> None:
        """Release the lease of a task that this worker leaves to others, without a change of the count."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.delete(task.lease_key)
        pipeline.hincrby(attempts_key(task.job_id), task.queue_id, -1)
        self._send(pipeline)

    def report_progress(self, task: Task, images_done: int) -> bool:
        """Renew the lease of a task and report its progress. Returns whether the job was cancelled."""
        return self._report(task, (task.lease_key,), (str(task.shard), images_done), is_rendering=True)

    def report_distillation(self, task: Task, share: float, lease: str) -> bool:
        """Renew the leases of a task and of a distillation, and report the share that is done.

        Returns whether the job was cancelled.
        """
        return self._report(task, (task.lease_key, lease), (DISTILLED_FIELD, share), is_rendering=False)

    @tolerating_outage(default=False)
    def _report(self, task: Task, leases: tuple[str, ...], progress: tuple[str, float], *, is_rendering: bool) -> bool:
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.exists(cancel_key(task.job_id))
        for lease in leases:
            pipeline.set(lease, self._name, ex=LEASE_TTL_SECONDS)
        key = progress_key(task.job_id)
        if is_rendering:  # the first shard of the job sets its start; later reports do not change it
            pipeline.hsetnx(key, STARTED_FIELD, str(time.time()))
        pipeline.hset(key, *progress)
        pipeline.expire(key, LIVE_TTL_SECONDS)
        self._announce_worker(pipeline)  # because RQ's loop, which announces otherwise, does not run during a task
        JobEvent(job_id=task.job_id, kind="progress").publish(pipeline)
        return bool(self._send(pipeline)[0])

    @tolerating_outage(default=None)
    def publish_shard_committed(self, job_id: str) -> None:
        """Publish the event that a shard of a job was committed."""
        JobEvent(job_id=job_id, kind="shard").publish(self._redis)

    @tolerating_outage(default=None)
    def publish_job_ended(self, job_id: str) -> None:
        """Publish the event that a job has ended. Its progress expires soon, because its state is in the store."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.expire(progress_key(job_id), _ENDED_TTL_SECONDS)
        JobEvent(job_id=job_id, kind="end").publish(pipeline)
        self._send(pipeline)

    @tolerating_outage(default=None)
    def start_time(self, job_id: str) -> datetime | None:
        """Return when the job's first shard began; None if Redis has lost it."""
        value = self._redis.hget(progress_key(job_id), STARTED_FIELD)
        return datetime.fromtimestamp(float(value), UTC) if value else None

    @tolerating_outage(default=None)
    def cancel_other_shards(self, job_id: str) -> None:
        """Set the cancel flag of a failed job, so that workers stop rendering its other shards."""
        self._redis.set(cancel_key(job_id), 1, ex=LIVE_TTL_SECONDS)

    def _send(self, pipeline: Pipeline) -> list[Any]:
        """Execute a pipeline together with the unsent counts. Returns the replies."""
        with self.counts.sent_with(pipeline):
            return pipeline.execute()

    def _announce_worker(self, pipeline: Pipeline) -> None:
        self._alive_file.touch()
        entry = self._entry.model_copy(update={"images_per_s": self.images_per_s})
        key = worker_key(self._name)
        if (pause_reason := self.pause_reason) is not None:
            key, entry = paused_key(self._name), PausedWorker(**dict(entry), reason=pause_reason)
        pipeline.set(key, entry.model_dump_json(), ex=WORKER_TTL_SECONDS)
