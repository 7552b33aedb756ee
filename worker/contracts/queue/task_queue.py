"""The task queue: two RQ queues for each numerics, with fair queueing among owners.

An owner with a hundred queued jobs is served as often as an owner with one. This is start-time fair queueing (Goyal et
al. 1996) with tasks of equal length. Each task has a start tag: one more than the tag of its owner's last task, but at
least the tag of the task that is served now. A queue is sorted by start tag. Redis stores the tags as `turn`.
"""

from collections.abc import Iterable
from typing import NamedTuple

from redis import Redis
from redis.client import Pipeline
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import as_text

from worker.contracts.jobs import JobSpec
from worker.contracts.queue.redis_keys import lease_key, queue_names, queue_parts, start_tags_key
from worker.contracts.queue.tasks import Task

_ANY_BYTES = "surrogateescape"
"""Error handler for decoding, because entries of a list on the server need not be text."""

_OWNER_FIELD = "owner"
"""Field of a task's hash, in addition to the fields of RQ: the owner of the job."""

NEEDS_FIELD = "needs"
"""Field of a task's hash: the model (and VGG19 weights) that the task needs; empty if any worker can do it."""

_LOOK_AHEAD = 1000
"""Number of tasks at the front of a queue among which a worker searches for one that it can do."""

_SWAP = """
local task, tasks, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
local offered = {[''] = true}
for place = 4, #ARGV do
    offered[ARGV[place]] = true
end
redis.call('LPUSH', KEYS[1], task)
for _, line in ipairs(KEYS) do
    for _, id in ipairs(redis.call('LRANGE', line, 0, most - 1)) do
        local needs = redis.pcall('HGET', tasks .. id, 'needs')
        if id ~= task and (type(needs) ~= 'string' or offered[needs]) then
            redis.call('LREM', line, 1, id)
            return {line, id}
        end
    end
end
return false
"""
"""Returns a task to the front of its queue, and takes the first task of some queues that the worker can do.

The order of the queues stays, and with it the fairness. A task without a `needs` field can be done by any worker.
"""

_PLACE_BY_START_TAG = """
local line, turns, tasks = KEYS[1], KEYS[2], ARGV[1]
local function field(id, name)
    local value = redis.pcall('HGET', tasks .. id, name)
    return type(value) == 'string' and value
end
local function turn(place)
    return tonumber(field(redis.call('LINDEX', line, place), 'turn') or 0)
end
local last = redis.call('RPOP', line)
local owner, waiting = field(last, 'owner') or '', redis.call('LLEN', line)
if waiting == 0 then
    redis.call('DEL', turns)
end
local mine = 1 + (redis.call('HGET', turns, owner) or 0)
if waiting > 0 then
    mine = math.max(mine, turn(0))
end
redis.call('HSET', turns, owner, mine)
redis.call('HSET', tasks .. last, 'turn', mine)
local from, to = 0, waiting
while from < to do
    local middle = math.floor((from + to) / 2)
    if turn(middle) > mine then
        to = middle
    else
        from = middle + 1
    end
end
if from == waiting then
    redis.call('RPUSH', line, last)
else
    redis.call('LINSERT', line, 'BEFORE', redis.call('LINDEX', line, from), last)
end
"""
"""Gives the last task of a queue its start tag, and moves it to its place in the order of tags."""


class Swapped(NamedTuple):
    """The task that was taken in exchange for another one."""

    queue: Queue
    queue_id: str


class TaskQueue:
    """Adds tasks to the queues and lists the waiting ones. A task's RQ id is fixed, so adding it twice is harmless."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def enqueue(self, spec: JobSpec, tasks: Iterable[Task]) -> None:
        """Add tasks of a job to its queue, all or none: at the end, or if the job has an owner, by start tag."""
        short, long = queue_names(spec.model.numerics.name)
        wanted, owner = list(tasks), [(_OWNER_FIELD, spec.owner)] if spec.owner else []
        fields = {task.queue_id: [(NEEDS_FIELD, _needs(spec, task)), *owner] for task in wanted}
        tasks_of_rq = [
            Queue.prepare_data(
                task.name,
                kwargs=task.model_dump(exclude={"name"}, exclude_none=True),
                job_id=task.queue_id,
                description=task.queue_id,
            )
            for task in wanted
        ]
        queue = Queue(short if spec.is_short else long, connection=self._redis, serializer=JSONSerializer)
        with self._redis.pipeline() as pipeline:
            for data in tasks_of_rq:
                (job,) = queue.enqueue_many([data], pipeline=pipeline)
                pipeline.hset(job.key, mapping=dict(fields[job.id]))
                if spec.owner:
                    _place_by_start_tag(pipeline, queue)
            pipeline.execute()

    def requeue(self, queue: Queue, queue_id: str) -> None:
        """Return a task that was taken to its queue, with a new start tag."""
        with self._redis.pipeline() as pipeline:
            pipeline.rpush(queue.key, queue_id)
            _place_by_start_tag(pipeline, queue)
            pipeline.execute()

    def swap(self, queue: Queue, queue_id: str, others: Iterable[Queue], offered: Iterable[str]) -> Swapped | None:
        """Return a task that this worker cannot do, and take the first one that it can, in one atomic step.

        The same queue is searched first, then the others. Returns None if no task was found.
        """
        queues = {each.key: each for each in (queue, *others)}
        arguments = (queue_id, Job.redis_job_namespace_prefix, str(_LOOK_AHEAD), *offered)
        found = self._redis.eval(_SWAP, len(queues), *queues, *arguments)
        return Swapped(queues[as_text(found[0])], as_text(found[1])) if found else None

    def queued(self, numerics: str) -> set[str]:
        """Return the RQ ids of the tasks that wait for workers of a numerics."""
        keys = [Queue(name, connection=self._redis).key for name in queue_names(numerics)]
        items = [item for key in keys for item in self._redis.lrange(key, 0, -1)]
        return {item if isinstance(item, str) else item.decode(errors=_ANY_BYTES) for item in items}

    def queue_lengths(self) -> dict[tuple[str, str], int]:
        """Return the number of waiting tasks by (numerics, `short` or `long`), for every queue that was ever used."""
        queues = [(queue_parts(queue.name), queue) for queue in Queue.all(self._redis)]
        return {parts: queue.count for parts, queue in queues if parts is not None}

    def leased(self, ids: Iterable[str]) -> set[str]:
        """Return those of the RQ ids whose tasks have a lease, which means that a worker works on them."""
        wanted = list(ids)
        keys = [lease_key(queue_id) for queue_id in wanted]
        values = self._redis.mget(keys) if keys else []
        return {queue_id for queue_id, value in zip(wanted, values, strict=True) if value is not None}


def _place_by_start_tag(pipeline: Pipeline, queue: Queue) -> None:
    pipeline.eval(_PLACE_BY_START_TAG, 2, queue.key, start_tags_key(queue.name), Job.redis_job_namespace_prefix)


def _needs(spec: JobSpec, task: Task) -> str:
    return "" if task.shard is None else spec.needs
