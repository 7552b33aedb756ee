import shutil
from pathlib import Path

import pytest
from redis import Redis

from app.cluster.cluster_state import ClusterState
from app.cluster.readiness import Readiness
from app.errors import ApiError
from worker.contracts.store.store import Store


def test_a_store_that_is_gone_is_logged_once_however_often_it_is_asked_for(
    redis: Redis, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    readiness = Readiness(Store(str(tmp_path / "store")), ClusterState(redis), 0)
    shutil.rmtree(tmp_path / "store")
    for _ in range(3):
        with pytest.raises(ApiError):
            readiness.check()
    assert caplog.text.count("store was not written") == 1
    assert caplog.text.count("disk was not found") == 1
