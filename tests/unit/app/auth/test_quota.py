from pathlib import Path

import pytest
from redis import Redis

from app.auth.api_keys import Caller
from app.auth.quota import Quota, Usage, check_limits, rate_limit_headers
from app.cluster.cluster_state import ClusterState
from app.errors import ApiError
from tests.unit.conftest import MakeSpec
from worker.contracts.selection import Selection
from worker.contracts.store.store import Store

CALLER = Caller(owner="alice", max_images=100, max_jobs=2)


@pytest.mark.parametrize(("used", "n"), [(Usage(0, 0), 100), (Usage(60, 1), 40), (Usage(0, 1), 1)])
def test_jobs_are_admitted_up_to_the_limits(used: Usage, n: int) -> None:
    check_limits(CALLER, used, n)


@pytest.mark.parametrize(
    ("used", "n", "code"),
    [(Usage(60, 1), 41, "too_many_images"), (Usage(0, 2), 1, "too_many_jobs"), (Usage(100, 2), 1, "too_many_jobs")],
)
def test_jobs_beyond_the_limits_are_refused_for_now(used: Usage, n: int, code: str) -> None:
    with pytest.raises(ApiError) as refused:
        check_limits(CALLER, used, n)
    assert (refused.value.status, refused.value.code) == (429, code)
    assert refused.value.retry_after_seconds
    assert refused.value.headers == rate_limit_headers(CALLER, used)


def test_the_headers_tell_the_limits_and_what_is_left() -> None:
    assert rate_limit_headers(CALLER, Usage(60, 1)) == {
        "RateLimit-Policy": '"images";q=100;qu="images", "jobs";q=2;qu="jobs"',
        "RateLimit": '"images";r=40, "jobs";r=1',
    }
    assert rate_limit_headers(Caller(owner="a", max_jobs=3), Usage(9, 5))["RateLimit"] == '"jobs";r=0'
    assert rate_limit_headers(CALLER, None) == {}


def test_images_that_a_selection_is_expected_to_reject_count(redis: Redis, tmp_path: Path, make_spec: MakeSpec) -> None:
    store, cluster = Store(str(tmp_path)), ClusterState(redis)
    picked = {"owner": CALLER.owner, "selection": Selection(gate="a" * 64, keep=250)}
    spec = make_spec(n=10).model_copy(update=picked)
    assert spec.expected_candidates == 40
    store.jobs.create(spec)
    quota = Quota(redis, store, cluster)
    with quota.reserve(CALLER, 5) as usage:
        assert usage == Usage(45, 2)
    cluster.restore_progress(spec.id, {0: 4, 1: 3})  # workers report accepted images
    with quota.reserve(CALLER, 5) as usage:
        assert usage == Usage(17, 2)
    with pytest.raises(ApiError, match="12 are open, and 89 are requested"), quota.reserve(CALLER, 89):
        pass
