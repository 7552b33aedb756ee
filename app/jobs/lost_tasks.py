"""Lost tasks: those that neither wait, nor are worked at, nor are done, though they should be."""

from collections.abc import Set
from typing import NamedTuple

from worker.contracts.jobs import JobSpec
from worker.contracts.queue.tasks import Task


class QueueSnapshot(NamedTuple):
    """Where the tasks of one job are.

    Its parts are read in this order, which is the order in which a task passes through them. So a task that moves
    while they are read is found, in one place or in two; only between the queue and a worker's lease is it nowhere.
    """

    begun: Set[int]
    """Shards that are being rendered or are done; the task of the next shard was queued before."""
    queued: Set[str]
    """RQ ids of the tasks that wait."""
    leased: Set[str]
    """RQ ids of the tasks that a worker has a lease of."""
    committed: Set[int]
    """Shards that are done."""


def lost_tasks(spec: JobSpec, at: QueueSnapshot) -> list[Task]:
    """Find the tasks of an open job that are nowhere, though they should be.

    Only the foremost shard's task brings the next one, before it renders. So of the shards behind the foremost each
    must be waiting, at work or done; and the next one after it, once the foremost has begun.
    """
    if len(at.committed) == spec.shard_count:
        return _lost_end(spec, at)
    tasks = [Task.render_shard(spec.id, shard) for shard in range(spec.shard_count)]
    present = at.queued | at.leased
    gone = {k for k, task in enumerate(tasks) if k not in at.committed and task.queue_id not in present}
    foremost = max((k for k in range(spec.shard_count) if k not in gone), default=-1)
    lost = [tasks[k] for k in sorted(gone) if k < foremost]
    if foremost + 1 < spec.shard_count and (foremost < 0 or _has_brought(tasks[foremost], foremost, at)):
        lost.append(Task.render_shard(spec.id, foremost + 1, spec.shard_count))
    return lost


def _lost_end(spec: JobSpec, at: QueueSnapshot) -> list[Task]:
    """Find the task that closes a job; whoever committed the last shard closes it under the lease of that shard."""
    end = Task.finalise(spec.id)
    return [] if at.leased or end.queue_id in at.queued else [end]


def _has_brought(task: Task, shard: int, at: QueueSnapshot) -> bool:
    """Tell whether the task of a shard must have queued the next one before the queue was read."""
    return shard in at.begun and task.queue_id not in at.queued
