"""Finds lost tasks: tasks that should be queued, leased or done, and are none of these."""

from collections.abc import Set
from typing import NamedTuple

from worker.contracts.jobs import JobSpec
from worker.contracts.queue.tasks import Task


class QueueSnapshot(NamedTuple):
    """Where the tasks of one job are.

    The fields must be read in this order, which is the order in which a task passes through these places. A task that
    moves during the reads is then found in one place or in two. The only gap is between the queue and the lease.
    """

    begun: Set[int]
    """Shards that are being rendered or are committed. Each was started after the task of the next shard was queued."""
    queued: Set[str]
    """RQ ids of the tasks in the queue."""
    leased: Set[str]
    """RQ ids of the tasks that a worker holds a lease for."""
    committed: Set[int]
    """Committed shards."""


def lost_tasks(spec: JobSpec, at: QueueSnapshot) -> list[Task]:
    """Return the tasks of an open job that neither the queue nor a worker has, although one of them should.

    Only the foremost shard's task queues the next shard, before it renders. So each shard before the foremost one must
    be queued, leased or committed. The shard after it must be, too, once the foremost one has started.
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
    """Return the task that finishes a job, if it is lost.

    The worker that commits the last shard finishes the job under the lease of that shard.
    """
    end = Task.finalise(spec.id)
    return [] if at.leased or end.queue_id in at.queued else [end]


def _has_brought(task: Task, shard: int, at: QueueSnapshot) -> bool:
    """Return whether the task of a shard queued the next shard before the queue was read."""
    return shard in at.begun and task.queue_id not in at.queued
