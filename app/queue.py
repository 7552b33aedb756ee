"""Putting tasks on the queue, and seeing which are there. Only the API enqueues."""

from collections.abc import Iterable

from redis import Redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from worker.contracts.queue import QUEUE, Task, lease_key

_ANY_BYTES = "surrogateescape"
"""What stands in a list on the server need not be text."""


class TaskQueue:
    """The one RQ queue. A task's RQ id is a function of the task, so enqueueing it twice is harmless."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._queue = Queue(QUEUE, connection=redis, serializer=JSONSerializer)
        self._popped_key = self._queue.intermediate_queue_key

    def enqueue(self, tasks: Iterable[Task], *, at_front: bool = False) -> None:
        """Put tasks on the queue, all or none."""
        data = [
            Queue.prepare_data(
                task.name,
                kwargs=task.model_dump(exclude={"name"}, exclude_none=True),
                job_id=task.queue_id,
                description=task.queue_id,
                at_front=at_front,
            )
            for task in tasks
        ]
        with self._redis.pipeline() as pipeline:
            self._queue.enqueue_many(data, pipeline=pipeline)
            pipeline.execute()

    def queued(self) -> set[str]:
        """List the RQ ids that wait."""
        return self._ids(self._queue.key)

    def popped(self) -> set[str]:
        """List the RQ ids that a worker took and has not settled."""
        return self._ids(self._popped_key)

    def forget(self, ids: Iterable[str]) -> None:
        """Drop what dead workers left of tasks that they had taken."""
        with self._redis.pipeline() as pipeline:
            for queue_id in ids:
                pipeline.lrem(self._popped_key, 0, queue_id.encode(errors=_ANY_BYTES))  # type: ignore[arg-type]
                pipeline.delete(Job.key_for(queue_id).encode(errors=_ANY_BYTES))
            pipeline.execute()

    def leased(self, ids: Iterable[str]) -> set[str]:
        """Tell which of these RQ ids a live worker is at."""
        wanted = list(ids)
        keys = [lease_key(queue_id).encode(errors=_ANY_BYTES) for queue_id in wanted]
        values = self._redis.mget(keys) if keys else []
        return {queue_id for queue_id, value in zip(wanted, values, strict=True) if value is not None}

    def _ids(self, key: str) -> set[str]:
        items = self._redis.lrange(key, 0, -1)
        return {item if isinstance(item, str) else item.decode(errors=_ANY_BYTES) for item in items}
