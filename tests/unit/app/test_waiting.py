import pytest

from app.waiting import MAX_WAIT_SECONDS, preferred_wait


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
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
    ],
)
def test_a_wish_to_wait_is_read(header: str | None, seconds: int) -> None:
    assert preferred_wait(header) == seconds
