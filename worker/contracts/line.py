"""The line in which tasks wait: RQ's queues, two for every kind of worker."""

from collections.abc import Iterable

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from worker.contracts.jobs import JobSpec
from worker.contracts.queue import Task, lease_key, queue_names, queue_parts

_ANY_BYTES = "surrogateescape"
"""What stands in a list on the server need not be text."""


class Line:
    """Puts tasks into line and tells which are there. A task's RQ id is a function of the task: twice is harmless."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def enqueue(self, spec: JobSpec, tasks: Iterable[Task]) -> None:
        """Put tasks of a job at the end of its line, all or none."""
        short, long = queue_names(spec.model.numerics.name)
        data = [
            Queue.prepare_data(
                task.name,
                kwargs=task.model_dump(exclude={"name"}, exclude_none=True),
                job_id=task.queue_id,
                description=task.queue_id,
            )
            for task in tasks
        ]
        queue = Queue(short if spec.is_short else long, connection=self._redis, serializer=JSONSerializer)
        with self._redis.pipeline() as pipeline:
            queue.enqueue_many(data, pipeline=pipeline)
            pipeline.execute()

    def queued(self, numerics: str) -> set[str]:
        """List the RQ ids that wait for workers of one kind."""
        keys = [Queue(name, connection=self._redis).key for name in queue_names(numerics)]
        items = [item for key in keys for item in self._redis.lrange(key, 0, -1)]
        return {item if isinstance(item, str) else item.decode(errors=_ANY_BYTES) for item in items}

    def waiting(self) -> dict[tuple[str, str], int]:
        """Count the tasks in every queue that was ever used, by its numerics and the length of its jobs."""
        queues = [(queue_parts(queue.name), queue) for queue in Queue.all(self._redis)]
        return {parts: queue.count for parts, queue in queues if parts is not None}

    def leased(self, ids: Iterable[str]) -> set[str]:
        """Tell which of these RQ ids a live worker is at."""
        wanted = list(ids)
        keys = [lease_key(queue_id) for queue_id in wanted]
        values = self._redis.mget(keys) if keys else []
        return {queue_id for queue_id, value in zip(wanted, values, strict=True) if value is not None}
