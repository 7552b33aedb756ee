"""Ends of jobs that no worker brings about."""

from contextlib import suppress

from redis.exceptions import RedisError

from app.cluster.cluster_state import ClusterState
from worker.contracts.jobs import JobSpec, JobState
from worker.contracts.store.store import Store


def end(store: Store, live: ClusterState, spec: JobSpec, state: JobState) -> bool:
    """End a job, and tell who works at it or waits for it. False when it has ended before."""
    if not store.jobs.finish(spec.id, state):
        return False
    store.jobs.settle(spec, state)
    with suppress(RedisError):
        live.count("jobs_ended", state.outcome)
        live.flag_cancelled(spec.id)
        live.ring_end(spec.id)
    return True
