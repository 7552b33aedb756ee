"""Decides whether the images of a job can still be read, or must be rendered again in another job."""

from datetime import UTC, datetime, timedelta

from app.jobs.damage_repair import is_whole
from worker.contracts.age import age
from worker.contracts.jobs import JobSpec
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError

RETRY_DELAY = timedelta(seconds=10)
"""Delay after a failed job of an address before the next request renders that address again."""


def is_lost(store: Store, spec: JobSpec) -> bool:
    """Return whether the images of a job have expired, or will never be rendered.

    A job that failed less than `RETRY_DELAY` ago does not count as lost yet. A job with an unreadable state is lost.
    """
    try:
        state = store.jobs.state(spec.id)
    except DamagedError:
        return True
    if state is None:
        return False
    now = datetime.now(UTC)
    is_resting = state.outcome == "failed" and age(state.finished, now) < RETRY_DELAY
    return not is_resting and (state.outcome != "succeeded" or state.has_expired(spec, now))


def is_lost_or_damaged(store: Store, spec: JobSpec) -> bool:
    """Return whether a job is lost, or any object of the succeeded job is missing or corrupted."""
    if is_lost(store, spec):
        return True
    try:
        state = store.jobs.state(spec.id)
        return state is not None and state.outcome == "succeeded" and not is_whole(store, spec)
    except DamagedError:  # a removal at the same time takes objects while this reads them
        return True


def is_extension_lost(store: Store, spec: JobSpec) -> bool:
    """Return whether a job is lost or damaged, or has failed because the images that it extends were removed."""
    if is_lost_or_damaged(store, spec):
        return True
    state = store.jobs.state(spec.id)
    return bool(spec.ancestors) and state is not None and state.outcome == "failed"
