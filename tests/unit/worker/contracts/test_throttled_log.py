import logging

import pytest

from tests.unit.app.clock import Clock
from worker.contracts.logs import fields, sentence
from worker.contracts.throttled_log import ThrottledLogger


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> ThrottledLogger:
    return ThrottledLogger(logging.getLogger("trouble"), 60, clock)


def test_one_line_a_minute_is_written_of_each_kind(
    throttle: ThrottledLogger, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for seconds in range(121):
        clock.seconds = seconds
        throttle.warning("the disk was full", extra=fields(job_id=seconds))
    throttle.error("something else")
    assert [sentence(record) for record in caplog.records] == [
        "the disk was full job_id=0",
        "the disk was full job_id=60 suppressed=59",
        "the disk was full job_id=120 suppressed=59",
        "something else",
    ]


def test_the_traceback_stays_with_its_message(throttle: ThrottledLogger, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(3):
        try:
            raise OSError(number)
        except OSError:
            throttle.exception("a task was dropped")
    (record,) = caplog.records
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "0"
