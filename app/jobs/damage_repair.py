"""Finds missing and corrupted objects of a job by their checksums, so that they can be rendered again."""

import logging
from contextlib import suppress

from worker.contracts.jobs import JobSpec
from worker.contracts.logs import fields
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError

log = logging.getLogger(__name__)


def repair_after_crash(store: Store, job_id: str) -> None:
    """Delete the corrupted shards of an open job, and its end if any object of the job is corrupted.

    The reconciler then queues the missing tasks. A job with a corrupted marker was never accepted and stays as it is.
    So does a job whose images were removed on request.
    """
    try:
        spec = store.jobs.restored_spec(job_id)
    except DamagedError:
        return
    if spec is None:
        return  # the job ended after it was listed, and its marker was removed
    store.jobs.list.add(spec)
    if _has_removed_images(store, job_id):
        return
    corrupted = [shard for shard in store.shards.committed(job_id) if not store.shards.is_whole(job_id, shard)]
    if not corrupted and store.jobs.is_ending_whole(spec):
        return
    # The end goes first. If this process dies in between, the job must not look whole without its shards.
    store.jobs.forget_ending(job_id)
    for shard in corrupted:
        store.shards.forget(job_id, shard)
    log.warning("job was damaged, its damaged shards were deleted", extra=fields(job_id=job_id, shards=len(corrupted)))


def _has_removed_images(store: Store, job_id: str) -> bool:
    with suppress(DamagedError):
        state = store.jobs.state(job_id)
        return state is not None and state.is_removed
    return False


def is_whole(store: Store, spec: JobSpec) -> bool:
    """Return whether every object of a succeeded job exists and has the right checksum."""
    try:
        plan = store.archives.plan(spec.id)
        shards = list(store.choices.chosen_shards(spec))
    except DamagedError:
        return False
    parts = tuple(part for shard in shards for part in shard.parts())
    # The last part of the plan is the tail; the others are ranges of the data objects of shards.
    if plan is None or plan.parts[:-1] != parts or sum(shard.count for shard in shards) < spec.n:
        return False
    return store.jobs.is_ending_whole(spec) and all(
        store.shards.is_whole(shard.piece.job_id, shard.piece.shard) for shard in shards
    )
