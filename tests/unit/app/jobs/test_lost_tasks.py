from collections.abc import Set

import pytest

from app.jobs.lost_tasks import QueueSnapshot, lost_tasks
from tests.unit.conftest import spec_of
from worker.contracts.queue.tasks import Task

SPEC = spec_of(n=16)
SHARDS = SPEC.shard_count
NONE: Set[int] = frozenset()


def task(shard: int) -> Task:
    return Task.render_shard(SPEC.id, shard)


def foremost(shard: int) -> Task:
    """The task that queues the shard after it."""
    return Task.render_shard(SPEC.id, shard, SHARDS)


def snapshot(
    queued: Set[int] = NONE, leased: Set[int] = NONE, started: Set[int] = NONE, done: Set[int] = NONE
) -> QueueSnapshot:
    return QueueSnapshot(started | done, ids(queued), ids(leased), done, len(done) == SHARDS)


def ids(shards: Set[int]) -> frozenset[str]:
    return frozenset(task(shard).queue_id for shard in shards)


@pytest.mark.parametrize(
    ("state", "lost"),
    [
        (snapshot(), [foremost(0)]),
        (snapshot(queued={0}), []),
        (snapshot(leased={0}), []),
        (snapshot(leased={0}, started={0}), [foremost(1)]),
        (snapshot(done={0}), [foremost(1)]),
        (snapshot(started={0}), [foremost(0)]),
        (snapshot(queued={0}, started={0}), []),
        (snapshot(queued={1}, leased={0}, started={0}), []),
        (snapshot(queued={2}, done={0}), [task(1)]),
        (snapshot(leased={2}, started={2}, done={1}), [task(0), foremost(3)]),
    ],
    ids=[
        "nothing was queued",
        "queued",
        "leased",
        "rendering, and the next shard is missing",
        "committed, and the next shard is missing",
        "its worker died",
        "its worker died and it was queued again",
        "all is well",
        "a shard before the foremost is missing",
        "a shard before the foremost is missing, and the next one too",
    ],
)
def test_tasks_are_lost_by_the_states_of_their_shards(state: QueueSnapshot, lost: list[Task]) -> None:
    assert SHARDS > 3
    assert lost_tasks(SPEC, state) == lost


def test_a_job_of_committed_shards_lacks_its_finalise_task_unless_a_worker_holds_a_lease() -> None:
    done = set(range(SHARDS))
    assert lost_tasks(SPEC, snapshot(done=done)) == [Task.finalise(SPEC.id)]
    assert lost_tasks(SPEC, snapshot(done=done, leased={SHARDS - 1})) == []
    queued = QueueSnapshot(done, {Task.finalise(SPEC.id).queue_id}, frozenset(), done, is_complete=True)
    assert lost_tasks(SPEC, queued) == []


def test_a_job_that_has_all_its_images_needs_no_more_shards() -> None:
    done = {0, 1}  # of four
    incomplete = QueueSnapshot(done, frozenset(), frozenset(), done, is_complete=False)
    assert lost_tasks(SPEC, incomplete) == [Task.render_shard(SPEC.id, 2, SHARDS)]
    assert lost_tasks(SPEC, incomplete._replace(is_complete=True)) == [Task.finalise(SPEC.id)]
