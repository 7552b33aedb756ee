"""The task queue: two RQ queues for each numerics, with fair queueing among owners.

An owner with a hundred queued jobs is served as often as an owner with one. This is start-time fair queueing (Goyal et
al. 1996) with tasks of equal length. Each task has a start tag: one more than the tag of its owner's last task, but at
least the tag of the task that is served now. A queue is sorted by start tag.
"""

from collections.abc import Iterable
from importlib import resources
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

LEFT_FIELD = "left"
"""Field of a task's hash: the WaitingTask, as two numbers."""

_READ_TASKS = 200
"""Number of tasks at the front of a queue of which `waiting` reads the fields. It limits the time."""

_LOOK_AHEAD = 1000
"""Number of tasks at the front of a queue among which a worker searches for one that it can do."""


class Swapped(NamedTuple):
    """The task that was taken in exchange for another one."""

    queue: Queue
    queue_id: str


class WaitingTask(NamedTuple):
    """The work of a job that has a waiting task."""

    images: int
    """Expected number of candidates of the job, from this task on."""
    style_steps: int
    """Steps of the optimisation of each image; 0 unless the style mode is `standard`."""


class TaskQueue:
    """Adds tasks to the queues and lists the waiting ones. A task's RQ id is fixed, so adding it twice is harmless."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._swap_script = _read_script("swap.lua")
        self._place_script = _read_script("place_by_start_tag.lua")

    def enqueue(self, spec: JobSpec, tasks: Iterable[Task]) -> None:
        """Add tasks of a job to its queue, all or none: at the end, or if the job has an owner, by start tag."""
        short, long = queue_names(spec.model.numerics.name)
        wanted, owner = list(tasks), [(_OWNER_FIELD, spec.owner)] if spec.owner else []
        fields = {
            task.queue_id: [(NEEDS_FIELD, _needs(spec, task)), (LEFT_FIELD, _left(spec, task)), *owner]
            for task in wanted
        }
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
        with self._redis.pipeline() as pipeline:  # a transaction: all tasks or none
            # One by one, because the script that sorts by start tag expects its task at the end of the queue.
            for data in tasks_of_rq:
                (job,) = queue.enqueue_many([data], pipeline=pipeline)
                pipeline.hset(job.key, mapping=dict(fields[job.id]))
                if spec.owner:
                    self._place_by_start_tag(pipeline, queue)
            pipeline.execute()

    def requeue(self, queue: Queue, queue_id: str) -> None:
        """Return a task that was taken to its queue, with a new start tag."""
        with self._redis.pipeline() as pipeline:
            pipeline.rpush(queue.key, queue_id)
            self._place_by_start_tag(pipeline, queue)
            pipeline.execute()

    def swap(self, queue: Queue, queue_id: str, others: Iterable[Queue], offered: Iterable[str]) -> Swapped | None:
        """Return a task that this worker cannot do, and take the first one that it can, in one atomic step.

        The same queue is searched first, then the others. Returns None if no task was found.
        """
        # A worker must not return a task and then take it again. The script does both in one step and skips the task.
        queues = {each.key: each for each in (queue, *others)}
        arguments = (queue_id, Job.redis_job_namespace_prefix, str(_LOOK_AHEAD), *offered)
        found = self._redis.eval(self._swap_script, len(queues), *queues, *arguments)
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

    def waiting(self, numerics: str) -> tuple[list[WaitingTask], list[WaitingTask]]:
        """Return the waiting tasks of short jobs, and those of long jobs. A long queue is read in part, and repeated.

        Tasks of an older version count as tasks of one image.
        """
        queues = [Queue(name, connection=self._redis) for name in queue_names(numerics)]
        with self._redis.pipeline(transaction=False) as pipeline:
            for queue in queues:
                pipeline.llen(queue.key)
                pipeline.lrange(queue.key, 0, _READ_TASKS - 1)
            lengths = pipeline.execute()
        short, long = (self._waiting(lengths[2 * k], lengths[2 * k + 1]) for k in range(2))
        return short, long

    def _waiting(self, length: int, queue_ids: list[bytes]) -> list[WaitingTask]:
        with self._redis.pipeline(transaction=False) as pipeline:
            for queue_id in queue_ids:
                pipeline.hget(Job.redis_job_namespace_prefix.encode() + queue_id, LEFT_FIELD)
            found = [
                WaitingTask(*map(int, value.split())) if value else WaitingTask(1, 0) for value in pipeline.execute()
            ]
        return [found[k % len(found)] for k in range(length)] if found else []

    def leased(self, ids: Iterable[str]) -> set[str]:
        """Return those of the RQ ids whose tasks have a lease, which means that a worker works on them."""
        wanted = list(ids)
        keys = [lease_key(queue_id) for queue_id in wanted]
        values = self._redis.mget(keys) if keys else []
        return {queue_id for queue_id, value in zip(wanted, values, strict=True) if value is not None}

    def _place_by_start_tag(self, pipeline: Pipeline, queue: Queue) -> None:
        keys = (queue.key, start_tags_key(queue.name))
        pipeline.eval(self._place_script, len(keys), *keys, Job.redis_job_namespace_prefix)


def _needs(spec: JobSpec, task: Task) -> str:
    return "" if task.shard is None else spec.needs


def _left(spec: JobSpec, task: Task) -> str:
    inherited = spec.own_first - spec.first
    done = spec.expected_candidates if task.shard is None else spec.cut.start(task.shard) - inherited
    steps = spec.style.steps if spec.style and spec.style.mode == "standard" else 0
    return f"{max(1, spec.expected_candidates - max(0, done))} {steps}"


def _read_script(name: str) -> str:
    """Read a Lua script of this package. Redis runs each script atomically."""
    return resources.files(__package__).joinpath(name).read_text()
