import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from worker.contracts.logs import sentence
from worker.queue.redis_outage import tolerating_outage


@tolerating_outage(default=True)
def ask(error: Exception | None) -> bool:
    if error is not None:
        raise error
    return False


def test_an_outage_is_logged_and_gives_the_default(caplog: pytest.LogCaptureFixture) -> None:
    assert not ask(None)
    assert caplog.text == ""
    assert ask(RedisConnectionError("refused"))
    (record,) = caplog.records
    assert sentence(record) == "redis was not reached reason=refused"


def test_other_errors_are_raised() -> None:
    with pytest.raises(ValueError, match="other"):
        ask(ValueError("other"))
