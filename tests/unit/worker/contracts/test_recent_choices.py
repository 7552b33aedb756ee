"""The choices that were used last are remembered, within limits of their number and size."""

from dataclasses import dataclass

import pytest

from worker.contracts import recent_choices
from worker.contracts.recent_choices import RecentChoices


@dataclass
class Known:
    items: int


@pytest.fixture
def recent(monkeypatch: pytest.MonkeyPatch) -> RecentChoices[Known]:
    monkeypatch.setattr(recent_choices, "_MOST_JOBS", 3)
    monkeypatch.setattr(recent_choices, "_MOST_ITEMS", 100)
    return RecentChoices()


def test_the_least_recently_used_choice_is_forgotten_first(recent: RecentChoices[Known]) -> None:
    first, second = (recent.find_or_add(job_id, lambda: Known(1)) for job_id in "ab")
    assert recent.find_or_add("a", lambda: Known(0)) is first
    for job_id in "cd":
        recent.find_or_add(job_id, lambda: Known(1))
    assert recent.find_or_add("a", lambda: Known(0)) is first
    assert recent.find_or_add("b", lambda: Known(0)) is not second


def test_large_choices_are_forgotten_although_they_are_few(recent: RecentChoices[Known]) -> None:
    first = recent.find_or_add("a", lambda: Known(1))
    first.items = 90  # it has grown since it was added
    second = recent.find_or_add("b", lambda: Known(20))
    assert recent.find_or_add("b", lambda: Known(0)) is second
    assert recent.find_or_add("a", lambda: Known(0)) is not first


def test_a_choice_beyond_the_limit_is_remembered_while_it_is_the_only_one(recent: RecentChoices[Known]) -> None:
    large = recent.find_or_add("a", lambda: Known(1000))
    assert recent.find_or_add("a", lambda: Known(0)) is large
