"""The line in which tasks wait: RQ's queues, two for every kind of worker.

Owners take turns: who has a hundred jobs in line is served as often as who has one.
"""

from collections.abc import Iterable

from redis import Redis
from redis.client import Pipeline
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from worker.contracts.jobs import JobSpec
from worker.contracts.queue import Task, lease_key, queue_names, queue_parts

_ANY_BYTES = "surrogateescape"
"""What stands in a list on the server need not be text."""

_OWNER_FIELD = "owner"
"""Of a task's hash, beside what RQ keeps there."""

_TAKE_TURN = """
local line, prefix, field = KEYS[1], ARGV[1], ARGV[2]
local function owner(id)
    local name = redis.pcall('HGET', prefix .. id, field)
    return type(name) == 'string' and name or ''
end
local waiting, owners, turns = redis.call('LRANGE', line, 0, -1), {}, {}
for place, id in ipairs(waiting) do
    owners[place] = owner(id)
    turns[owners[place]] = (turns[owners[place]] or 0) + 1
end
local own = turns[owners[#waiting]]
turns = {}
for place, id in ipairs(waiting) do
    turns[owners[place]] = (turns[owners[place]] or 0) + 1
    if turns[owners[place]] > own then
        redis.call('RPOP', line)
        redis.call('LINSERT', line, 'BEFORE', id, waiting[#waiting])
        return
    end
end
"""
"""Moves the last in line forward: an owner's k-th task goes before all that are somebody's (k+1)-th."""


class Line:
    """Puts tasks into line and tells which are there. A task's RQ id is a function of the task: twice is harmless."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def enqueue(self, spec: JobSpec, tasks: Iterable[Task]) -> None:
        """Put tasks of a job into its line, all or none: at the end, or where it is its owner's turn."""
        short, long = queue_names(spec.model.numerics.name)
        tasks_of_rq = [
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
            for data in tasks_of_rq:
                (job,) = queue.enqueue_many([data], pipeline=pipeline)
                if spec.owner:
                    pipeline.hset(job.key, _OWNER_FIELD, spec.owner)
                    _take_turn(pipeline, queue)
            pipeline.execute()

    def put_back(self, queue: Queue, queue_id: str) -> None:
        """Put a task that was taken into its line again, behind those whose turn it is."""
        with self._redis.pipeline() as pipeline:
            pipeline.rpush(queue.key, queue_id)
            _take_turn(pipeline, queue)
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


def _take_turn(pipeline: Pipeline, queue: Queue) -> None:
    pipeline.eval(_TAKE_TURN, 1, queue.key, Job.redis_job_namespace_prefix, _OWNER_FIELD)
