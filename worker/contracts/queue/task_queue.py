"""The line in which tasks wait: RQ's queues, two for every kind of worker.

Owners take turns: who has a hundred jobs in line is served as often as who has one.
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
from worker.contracts.queue.redis_keys import lease_key, queue_names, queue_parts, turns_key
from worker.contracts.queue.tasks import Task

_ANY_BYTES = "surrogateescape"
"""What stands in a list on the server need not be text."""

_OWNER_FIELD = "owner"
"""Of a task's hash, beside what RQ keeps there."""

NEEDS_FIELD = "needs"
"""Of a task's hash: what a worker must have to do it, empty where any worker can."""

_LOOK_AHEAD = 1000
"""Tasks of a line among which a worker looks for one that it can do."""

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
"""Puts a task back to the front of its line, and takes the first one of some lines that needs no more than is offered.

The order of the lines stays, and with it the turns of owners. A task that does not tell what it needs is taken.
"""

_TAKE_TURN = """
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
"""Moves the last in line to where its owner's turn is.

Start-time fair queueing (Goyal et al. 1996) with tasks of equal length: an owner's next turn is one after their last
one, but never before the turn that is served now. The line is in the order of turns.
"""


class Swapped(NamedTuple):
    """A task that was taken in place of another one."""

    queue: Queue
    queue_id: str


class TaskQueue:
    """Puts tasks into line and tells which are there. A task's RQ id is a function of the task: twice is harmless."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def enqueue(self, spec: JobSpec, tasks: Iterable[Task]) -> None:
        """Put tasks of a job into its line, all or none: at the end, or where it is its owner's turn."""
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
                    _take_turn(pipeline, queue)
            pipeline.execute()

    def put_back(self, queue: Queue, queue_id: str) -> None:
        """Put a task that was taken into its line again, behind those whose turn it is."""
        with self._redis.pipeline() as pipeline:
            pipeline.rpush(queue.key, queue_id)
            _take_turn(pipeline, queue)
            pipeline.execute()

    def swap(self, queue: Queue, queue_id: str, others: Iterable[Queue], offered: Iterable[str]) -> Swapped | None:
        """Put a task back that this worker cannot do, and take the first one that it can, in the same step.

        It is taken from the same queue, or else from one of the others. None when there is none.
        """
        lines = {line.key: line for line in (queue, *others)}
        arguments = (queue_id, Job.redis_job_namespace_prefix, str(_LOOK_AHEAD), *offered)
        found = self._redis.eval(_SWAP, len(lines), *lines, *arguments)
        return Swapped(lines[as_text(found[0])], as_text(found[1])) if found else None

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
    pipeline.eval(_TAKE_TURN, 2, queue.key, turns_key(queue.name), Job.redis_job_namespace_prefix)


def _needs(spec: JobSpec, task: Task) -> str:
    return "" if task.shard is None else spec.needs
