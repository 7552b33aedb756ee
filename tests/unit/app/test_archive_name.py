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


def test_a_selection_is_in_the_name() -> None:
    picked = {"classes": {"modern": 6, "early-20th": 3}, "keep": 0.5, "copies": "drop", "distinct": 2}
    assert name(**picked) == "faces-seed1-n9-modern-6-early-20th-3-keep0.5-nocopies-distinct2.zip"
    assert name(keep=None, copies="keep", distinct=None, classes=None) == "faces-seed1-n9.zip"
    assert name(distinct=0) == "faces-seed1-n9-distinct0.zip"


def test_datasets_of_many_classes_have_different_short_names() -> None:
    counts = {f"class {number}": 1 for number in range(500)}
    first, second = name(classes=counts), name(classes=counts | {"class 499": 2})
    assert first != second
    assert max(len(first), len(second)) < 200
