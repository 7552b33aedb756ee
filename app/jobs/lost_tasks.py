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

    started: Set[int]
    """Shards that are being rendered or are committed. Each was started after the task of the next shard was queued."""
    queued: Set[str]
    """RQ ids of the tasks in the queue."""
    leased: Set[str]
    """RQ ids of the tasks that a worker holds a lease for."""
    committed: Set[int]
    """Committed shards."""


def lost_tasks(spec: JobSpec, snapshot: QueueSnapshot) -> list[Task]:
    """Return the tasks of an open job that neither the queue nor a worker has, although one of them should.

    Only the foremost shard's task queues the next shard, before it renders. So each shard before the foremost one must
    be queued, leased or committed. The shard after it must be, too, once the foremost one has started.
    """
    if len(snapshot.committed) == spec.shard_count:
        return _lost_finalise_task(spec, snapshot)
    tasks = [Task.render_shard(spec.id, shard) for shard in range(spec.shard_count)]
    present = snapshot.queued | snapshot.leased
    missing = {
        shard for shard, task in enumerate(tasks) if shard not in snapshot.committed and task.queue_id not in present
    }
    foremost = max((shard for shard in range(spec.shard_count) if shard not in missing), default=-1)
    lost = [tasks[shard] for shard in sorted(missing) if shard < foremost]
    if foremost + 1 < spec.shard_count and (
        foremost < 0 or _must_have_queued_next(tasks[foremost], foremost, snapshot)
    ):
        lost.append(Task.render_shard(spec.id, foremost + 1, spec.shard_count))
    return lost


def _lost_finalise_task(spec: JobSpec, snapshot: QueueSnapshot) -> list[Task]:
    """Return the task that finishes a job, if it is lost.

    The worker that commits the last shard finishes the job under the lease of that shard.
    """
    task = Task.finalise(spec.id)
    return [] if snapshot.leased or task.queue_id in snapshot.queued else [task]


def _must_have_queued_next(task: Task, shard: int, snapshot: QueueSnapshot) -> bool:
    """Return whether the task of a shard queued the next shard before the queue was read."""
    return shard in snapshot.started and task.queue_id not in snapshot.queued
