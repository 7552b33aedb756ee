from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.unit.conftest import MakeSpec, spec_of
from worker.contracts.cut import Cut
from worker.contracts.job_state import JobState
from worker.contracts.jobs import JobSpec
from worker.contracts.pieces import Piece


@pytest.mark.parametrize(("n", "lengths"), [(1, [1]), (4, [4]), (5, [4, 1]), (12, [4, 4, 4])])
def test_shards_cover_every_image_once(make_spec: MakeSpec, n: int, lengths: list[int]) -> None:
    spec = make_spec(n=n)
    shards = [spec.shard_indices(shard) for shard in range(spec.shard_count)]
    assert [len(shard) for shard in shards] == lengths
    assert [index for shard in shards for index in shard] == list(range(n))


@given(first=st.integers(1, 64), grow=st.integers(0, 500), n=st.integers(1, 5000), begin=st.integers(0, 1000))
def test_shards_grow_and_cover_every_image_once(first: int, grow: int, n: int, begin: int) -> None:
    spec = spec_of(n).model_copy(update={"cut": Cut(first=first, most=first + grow), "first": begin})
    shards = [spec.shard_indices(shard) for shard in range(spec.shard_count)]
    assert [index for shard in shards for index in shard] == list(range(begin, begin + n))
    pieces = [Piece(shard, spec.id, shard, indices) for shard, indices in enumerate(shards)]
    assert list(spec.pieces()) == pieces
    assert all(spec.find_piece(index) == piece for piece in pieces for index in piece.indices)
    sizes = [len(shard) for shard in shards[:-1]]
    assert sizes == [min(first << 2 * shard, first + grow) for shard in range(len(sizes))]


def former_start(cut: Cut, shard: int) -> int:
    """Compute where a shard starts by the closed formula of the first version."""
    growing = ((-(-cut.most // cut.first) - 1).bit_length() + 1) // 2
    if shard <= growing:
        return cut.first * (((1 << 2 * shard) - 1) // 3)
    return former_start(cut, growing) + (shard - growing) * cut.most


@given(first=st.integers(1, 512), most=st.integers(1, 10**6), shard=st.integers(0, 10**7), back=st.integers(0, 1000))
def test_jobs_of_the_first_version_keep_their_shards(first: int, most: int, shard: int, back: int) -> None:
    cut = Cut(first=first, most=most)
    for number in (shard, shard % 12):
        start, stop = former_start(cut, number), former_start(cut, number + 1)
        assert (cut.start(number), cut.start(number + 1)) == (start, stop)
        position = max(start, stop - 1 - back)
        assert [cut.shard_of(place) for place in (start, position, stop - 1, stop)] == [number] * 3 + [number + 1]


def test_images_that_are_kept_for_longer_than_dates_reach_expire_in_a_hundred_years(make_spec: MakeSpec) -> None:
    spec = make_spec().model_copy(update={"ttl_hours": 10**17})
    state = JobState(outcome="succeeded", started=None, finished=spec.created)
    assert state.expires(spec) - spec.created == timedelta(hours=876_000)


def test_classes_alternate_by_index(make_spec: MakeSpec) -> None:
    spec = make_spec(classes=("a", "b", "c"))
    assert spec.labels(range(2, 7)) == [2, 0, 1, 2, 0]
    assert [spec.class_name(index) for index in (0, 4)] == ["a", "b"]


def test_a_chosen_class_labels_every_image(make_spec: MakeSpec) -> None:
    spec = make_spec(classes=("a", "b"), class_label="b")
    assert spec.labels(range(3)) == [1, 1, 1]


def test_an_unconditional_model_has_no_labels(make_spec: MakeSpec) -> None:
    assert make_spec().labels(range(3)) == []
    assert make_spec().class_name(0) is None


def test_a_record_survives_the_store_and_unknown_fields_are_refused(make_spec: MakeSpec) -> None:
    spec = make_spec(classes=("a", "b"))
    assert JobSpec.model_validate_json(spec.model_dump_json()) == spec
    with pytest.raises(ValidationError, match="extra"):
        JobSpec.model_validate({**spec.model_dump(), "surprise": 1})


def test_a_job_that_was_stored_before_there_were_owners_has_none(make_spec: MakeSpec) -> None:
    stored = make_spec().model_dump_json(exclude={"owner"})
    assert "owner" not in stored
    assert JobSpec.model_validate_json(stored) == make_spec()


@pytest.mark.parametrize("owner", ["../a", "a/b", "A", ".", "a" * 65, "a\n"])
def test_an_owner_that_would_lead_elsewhere_in_the_store_is_refused(make_spec: MakeSpec, owner: str) -> None:
    with pytest.raises(ValidationError, match="owner"):
        JobSpec.model_validate({**make_spec().model_dump(), "owner": owner})


def test_a_job_never_ends_before_it_begins(make_spec: MakeSpec) -> None:
    """A worker's clock that is a month behind does not make the images of its jobs expire at once."""
    spec = make_spec()
    for days in (-30, 0):
        finished = spec.created + timedelta(days=days)
        state = JobState(outcome="succeeded", started=None, finished=finished)
        assert state.expires(spec) == spec.created + timedelta(hours=spec.ttl_hours)
    late = JobState(outcome="succeeded", started=None, finished=spec.created + timedelta(days=30))
    assert late.expires(spec) == late.finished + timedelta(hours=spec.ttl_hours)
