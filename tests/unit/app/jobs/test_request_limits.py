"""No two jobs of different splits share an index, whatever they are."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import ApiError
from app.jobs.extension import prolonged
from app.jobs.request_limits import check_extension, check_size
from app.schemas.requests import GenerateQuery
from tests.unit.conftest import spec_of
from worker.contracts.jobs import JobSpec
from worker.contracts.splits import MAX_SPLIT_START, Split, split_indices

MOST_IMAGES = 10**9
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def indices(spec: JobSpec) -> range:
    """Return the indices of all candidates that a job may have."""
    return range(spec.first, spec.first + spec.max_candidates)


@st.composite
def jobs(draw: st.DrawFn, split: Split) -> JobSpec:
    """A job of a split as the service accepts it, extended a few times as far as the service allows it."""
    query = GenerateQuery(
        n=draw(st.integers(1, MOST_IMAGES // 100)),
        start=draw(st.one_of(st.integers(0, MAX_SPLIT_START), st.just(MAX_SPLIT_START), st.just(0))),
        split=split,
        keep=draw(st.sampled_from([None, 0.01, 0.5])),
        distinct=draw(st.sampled_from([None, 0, 3])),
    )
    check_size(query, MOST_IMAGES)
    accepted = {"n": query.n, "first": query.first, "split": split, "selection": query.selection("0" * 64)}
    spec = spec_of().model_copy(update=accepted)
    for added in draw(st.lists(st.integers(1, 2**52), max_size=5)):
        with suppress(ApiError):
            check_extension(spec, added, 2**53)
            spec = prolonged(spec, added)
    return spec


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_jobs_of_different_splits_share_no_index(data: st.DataObject) -> None:
    first, second = data.draw(st.permutations(SPLITS))[:2]
    one, other = indices(data.draw(jobs(first))), indices(data.draw(jobs(second)))
    assert one.stop <= other.start or other.stop <= one.start


@pytest.mark.parametrize("split", SPLITS)
def test_an_extension_ends_at_the_end_of_its_split(split: Split) -> None:
    spec = spec_of(n=1).model_copy(update={"split": split, "first": split_indices(split).start})
    room = len(split_indices(split)) - 1
    check_extension(spec, room, 2**53)
    with pytest.raises(ApiError, match="range of indices"):
        check_extension(spec, room + 1, 2**53)


def test_a_start_beyond_the_half_of_a_split_is_refused() -> None:
    assert GenerateQuery(n=1, split="test", start=MAX_SPLIT_START).first == 2**52 + 2**50
    with pytest.raises(ValueError, match=f"start: must be at most {MAX_SPLIT_START} with split"):
        GenerateQuery(n=1, split="test", start=MAX_SPLIT_START + 1)
