"""Ends a job from the API: a cancelled job, or one that no worker can render."""

from contextlib import suppress

from redis.exceptions import RedisError

from app.cluster.cluster_state import ClusterState
from worker.contracts.job_state import JobState
from worker.contracts.jobs import JobSpec
from worker.contracts.store.store import Store


def finish_job(store: Store, cluster: ClusterState, spec: JobSpec, state: JobState) -> bool:
    """End a job, stop its workers and notify the requests that wait for it.

    Returns False, and changes nothing, if the job has already ended.
    """
    if not store.jobs.finish(spec.id, state):
        return False
    store.jobs.settle(spec, state)
    # The state in the store is the truth. Without Redis, workers and requests read it a little later.
    with suppress(RedisError):
        cluster.count("jobs_ended", state.outcome)
        cluster.flag_cancelled(spec.id)
        cluster.publish_end(spec.id)
    return True
