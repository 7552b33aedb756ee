"""Counting in a worker, against a real queue server."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import ValidationError
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from app.cluster.cluster_state import ClusterState
from worker.contracts.queue.counters import COUNTERS_KEY, Count
from worker.queue.unsent_counts import UnsentCounts

ENDED = Count(name="jobs_ended", labels=("failed",))


def send(counts: UnsentCounts, redis: Redis) -> None:
    pipeline = redis.pipeline(transaction=False)
    with counts.sent_with(pipeline):
        pipeline.execute()


def test_what_two_workers_counted_is_added_up(redis: Redis) -> None:
    for by in (1, 2.5):
        counts = UnsentCounts()
        counts.count("jobs_ended", "failed", by=by)
        counts.count("shards_rejected")
        send(counts, redis)
        send(counts, redis)  # nothing more
    assert ClusterState(redis).counts() == {ENDED: 3.5, Count(name="shards_rejected"): 2}


def test_what_redis_did_not_take_is_sent_another_time(redis: Redis) -> None:
    counts = UnsentCounts()
    counts.count("jobs_ended", "failed")
    with Redis("127.0.0.1", 1, retry=Retry(NoBackoff(), 0)) as nowhere, pytest.raises(RedisError):
        send(counts, nowhere)
    counts.count("jobs_ended", "failed")
    send(counts, redis)
    assert ClusterState(redis).counts() == {ENDED: 2}


def test_no_count_of_many_threads_is_lost(redis: Redis) -> None:
    counts = UnsentCounts()
    with ThreadPoolExecutor(8) as threads:
        for _ in range(2000):
            threads.submit(counts.count, "jobs_ended", "failed")
        for _ in range(20):
            send(counts, redis)
    send(counts, redis)
    assert ClusterState(redis).counts() == {ENDED: 2000}


def test_seconds_are_counted_however_it_ends(redis: Redis) -> None:
    counts = UnsentCounts()
    with pytest.raises(ValueError, match="failed"), counts.timed("storing", "none"):
        raise ValueError("failed")
    send(counts, redis)
    ((count, seconds),) = ClusterState(redis).counts().items()
    assert count == Count(name="stage_seconds", labels=("storing", "none"))
    assert 0 < seconds < 60


def test_a_count_has_the_labels_of_its_name() -> None:
    with pytest.raises(ValidationError, match="jobs_ended has the labels"):
        Count(name="jobs_ended")


def test_what_another_version_counts_is_left_out(redis: Redis) -> None:
    redis.hset(COUNTERS_KEY, '{"name": "coffee", "labels": []}', 3)
    redis.hset(COUNTERS_KEY, b"\xfd", 3)
    ENDED.add(redis)
    assert ClusterState(redis).counts() == {ENDED: 1}
