"""Selections that exclude images."""

import pytest
from pydantic import ValidationError

from tests.unit.conftest import MakeSpec
from worker.contracts.selection import MAX_EXCLUDED, Selection


def test_old_programs_read_selections_without_exclusions() -> None:
    assert "excluded" not in Selection(keep=500).model_dump_json()


def test_the_list_of_exclusions_is_bounded() -> None:
    Selection(excluded=tuple(range(MAX_EXCLUDED)))
    with pytest.raises(ValidationError):
        Selection(excluded=tuple(range(MAX_EXCLUDED + 1)))


def test_a_job_expects_candidates_until_the_rarest_class_has_its_replacements(make_spec: MakeSpec) -> None:
    spec = make_spec(n=100, classes=("a", "b")).model_copy(update={"shares": (9, 1)})
    rare = tuple(index for index, label in enumerate(spec.labels(range(100))) if label == 1)
    assert len(rare) == 10
    assert spec.model_copy(update={"selection": Selection(excluded=rare)}).expected_candidates == 200
    assert spec.model_copy(update={"selection": Selection(excluded=(0,))}).expected_candidates == 110
