import pytest

from app.api.negotiation import preferred_wait
from app.jobs.watcher import MAX_WAIT_SECONDS


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=7", 7),
        ("respond-async, wait=7", 7),
        ("Wait = 7 ; foo", 7),
        ('wait="7"', 7),
        ("wait=100000", MAX_WAIT_SECONDS),
        ("wait=-7", 0),
        ("wait=7x", 0),
        ("await=7", 0),
        ("wait", 0),
        ("", 0),
        ("wait=9999999999", MAX_WAIT_SECONDS),
        ('foo="a, wait=7"', 0),
        ("foo; wait=7", 0),
    ],
)
def test_a_wish_to_wait_is_read(header: str, seconds: int) -> None:
    assert preferred_wait([header]) == seconds


def test_a_wish_to_wait_may_stand_in_any_header() -> None:
    assert preferred_wait(["respond-async", "wait=7"]) == 7
    assert preferred_wait([]) == 0
