from datetime import UTC, datetime, timedelta

import pytest

from worker.contracts.age import age

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("seconds", [0, 3, 365 * 24 * 3600])
def test_a_time_in_the_future_is_as_old_as_it_is_far_away(seconds: int) -> None:
    away = timedelta(seconds=seconds)
    assert age(NOW - away, NOW) == age(NOW + away, NOW) == away
