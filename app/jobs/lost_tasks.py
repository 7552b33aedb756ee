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
    is_complete: bool
    """Whether the committed shards hold all images of the job, or no more shards may be rendered."""


def lost_tasks(spec: JobSpec, snapshot: QueueSnapshot) -> list[Task]:
    """Return the tasks of an open job that must be in the queue or at a worker, and are not.

    The task of a shard passes through these states. The last column says whether it has queued the next shard:

        state         queued   leased   started   committed   next shard queued
        not created     -        -         -          -       no
        queued          x        -         -          -       no
        leased          -        x         -          -       maybe
        rendering       -        x         x          -       yes
        committed       -        -         x          x       yes
        lost            -        -       maybe        -       maybe

    A lost task may look like one that is not created. One invariant tells them apart: only the task of the foremost
    shard queues the next one, before it starts. So shards are created in order, and two kinds of tasks are lost:

    - each task before the foremost present one that is not present, where present means queued, leased or committed,
    - the task after the foremost present one, if that has started. A started task that is queued again does not count:
      its worker died, and its next attempt queues the next shard.
    """
    if snapshot.is_complete:
        return _lost_finalise_task(spec, snapshot)
    tasks = {shard: Task.render_shard(spec.id, shard) for shard in spec.shards}
    held = snapshot.queued | snapshot.leased
    present = {shard for shard, task in tasks.items() if shard in snapshot.committed or task.queue_id in held}
    foremost = max(present, default=spec.first_shard - 1)
    lost = [tasks[shard] for shard in range(spec.first_shard, foremost) if shard not in present]
    following = foremost + 1
    if following < spec.shard_count and (not present or _has_queued_next(tasks[foremost], foremost, snapshot)):
        # The shard count makes this task the foremost one: it queues the shard after it.
        lost.append(Task.render_shard(spec.id, following, spec.shard_count))
    return lost


def _has_queued_next(task: Task, shard: int, snapshot: QueueSnapshot) -> bool:
    """Return whether the task of a shard queued the next shard before the queue was read."""
    return shard in snapshot.started and task.queue_id not in snapshot.queued


def _lost_finalise_task(spec: JobSpec, snapshot: QueueSnapshot) -> list[Task]:
    """Return the task that finishes a job, if it is lost.

    The worker that commits the last needed shard finishes the job under the lease of that shard.
    """
    task = Task.finalise(spec.id)
    return [] if snapshot.leased or task.queue_id in snapshot.queued else [task]
