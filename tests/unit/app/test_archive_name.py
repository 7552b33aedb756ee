import pytest

from app.archive_name import archive_name
from app.client.responses import Job
from tests.unit.app.source import job


def name(**more: object) -> str:
    return archive_name(Job.model_validate(job("succeeded") | more))


def test_a_usual_job_has_a_short_name() -> None:
    assert name() == "faces-seed1-n9.zip"


def test_all_that_is_not_as_usual_is_in_the_name() -> None:
    assert name(start=500, **{"class": "modern"}, format="webp") == "faces-seed1-n9-from500-modern-webp.zip"
    assert name(format="npz") == "faces-seed1-n9.npz"


@pytest.mark.parametrize(
    "label", ['a"b', "a\r\nb: c", "../../etc/passwd", "a;b", "\u202e", "ä" * 64, "\U0001f600" * 64]
)
def test_no_label_breaks_a_header_or_a_path(label: str) -> None:
    found = name(**{"class": label})
    assert found.isascii()
    assert found.isprintable()
    assert len(found) < 200
    assert not set(found) & set('"/\\;\r\n')
