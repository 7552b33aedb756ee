"""Finds missing and corrupted objects of a job by their checksums, so that they can be rendered again."""

import logging
from contextlib import suppress

from worker.contracts.choice import ChosenShard
from worker.contracts.jobs import JobSpec
from worker.contracts.logs import fields
from worker.contracts.slices import slices
from worker.contracts.store.archive_index import ArchivePlan
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
    """Return whether every object of a succeeded job exists and has the right checksum.

    Shards have checksums of images. That of the archive, if it is stored, also covers the bytes between images.
    """
    try:
        plan = store.archives.plan(spec.id)
        shards = list(store.choices.chosen_shards(spec))
    except DamagedError:
        return False
    if plan is None or not _fits(spec, plan, shards) or sum(shard.count for shard in shards) < spec.n:
        return False
    if not store.jobs.is_ending_whole(spec):
        return False
    # In this order: a part that is missing makes the reading of the whole archive fail.
    return all(
        store.shards.is_whole(shard.piece.job_id, shard.piece.shard) for shard in shards
    ) and store.archives.fits_digest(spec.id, plan)


def _fits(spec: JobSpec, plan: ArchivePlan, shards: list[ChosenShard]) -> bool:
    """Return whether a plan consists of the slices of the archive and a tail.

    A slice that was laid out again is one part with a checksum. Others are ranges of the data objects of shards.
    """
    planned = list(plan.parts[:-1])
    for each in slices(spec, shards):
        parts = [part for shard in each.pieces for part in shard.parts()] if each.is_stored else planned[:1]
        if planned[: len(parts)] != parts or not (each.is_stored or (parts and parts[0].crc32 is not None)):
            return False
        del planned[: len(parts)]
    return not planned
