import pytest

from app.api.negotiation import wants_archive


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
    assert wants_archive([header]) == is_wanted


def test_a_wish_for_an_archive_may_stand_in_any_header() -> None:
    assert wants_archive(["text/html", "application/zip"])
    assert not wants_archive([])
