import pytest

from app.api.negotiation import preferred_wait, wants_archive
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


@pytest.mark.parametrize(
    ("header", "is_wanted"),
    [
        ("application/zip", True),
        ("Application/ZIP", True),
        ("application/json;q=0.5, application/zip", True),
        ("application/zip;q=0.1", True),
        ("application/zip;q=0.9, application/json;q=0.8", True),
        ("application/json, application/zip", False),
        ("application/json, application/zip;q=0.1", False),
        ("application/zip;  q=0", False),
        ("application/zip;\tq=0", False),
        ("application/zip;level=1;q=0", False),
        ("application/zip;q=0;level=1", False),
        ("application/zip ; q=1.0", True),
        ("application/zip;q=0", False),
        ("application/zip; q=0.00", False),
        ("application/zipper", False),
        ('text/plain;a="application/zip"', False),
        ("application/json", False),
        ("*/*", False),
        ("*/*, application/zip;q=0.5", False),
        ("application/*, application/zip;q=0.5", False),
        ("application/*;q=0.2, */*, application/zip;q=0.5", True),
        ("application/zip, */*;q=0.8", True),
        ("application/zip, */*", True),
        ("*/*, application/json;q=0.1, application/zip;q=0.5", True),
        ("", False),
    ],
)
def test_a_wish_for_an_archive_is_read(header: str, is_wanted: bool) -> None:
    assert wants_archive([header], "application/zip") == is_wanted


def test_a_wish_for_an_archive_may_stand_in_any_header() -> None:
    assert wants_archive(["text/html", "application/zip"], "application/zip")
    assert not wants_archive([], "application/zip")
