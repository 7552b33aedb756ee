"""The choice of a job must not depend on the division into shards, and must be that of a sequential loop."""

import itertools
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.conftest import MakeSpec
from worker.contracts.choice import Choice, ChosenShard, choose
from worker.contracts.cut import Cut
from worker.contracts.jobs import JobSpec
from worker.contracts.near_hashes import NearHashes
from worker.contracts.selection import Selection
from worker.contracts.store.archive_index import Candidates, ImageTable, ShardIndex

SIZE = 10
"""Bytes of each image with its header."""
HASHES = st.integers(0, 15)
"""Few hashes, so that many are equal or near."""


def shard_of(indices: range, accepted: list[bool], hashes: list[int], count: int) -> ShardIndex:
    stored = tuple(k for k, index in enumerate(indices[:count]) if accepted[index])
    table = ImageTable(
        offsets=tuple(SIZE * row + 3 for row in range(len(stored))),
        sizes=(SIZE - 3,) * len(stored),
        crc32s=(0,) * len(stored),
        sha256s=("0" * 64,) * len(stored),
        hashes=tuple(f"{hashes[indices[k]]:016x}" for k in stored),
    )
    candidates = Candidates(count=count, stored=stored)
    return ShardIndex(data=f"{indices.start}", size=SIZE * len(stored), images=table, candidates=candidates)


def expected_indices(spec: JobSpec, accepted: list[bool], hashes: list[int]) -> list[int]:
    quotas, kept, looked_at = list(spec.quotas()), list[int](), list[int]()
    excluded = spec.selection.excluded if spec.selection else ()
    distinct = spec.selection.distinct if spec.selection else None
    for index in range(len(accepted)):
        label = (spec.labels(range(index, index + 1)) or [0])[0]
        is_near = distinct is not None and any((hashes[k] ^ hashes[index]).bit_count() <= distinct for k in looked_at)
        if len(kept) < spec.n and quotas[label] and accepted[index] and not is_near:
            looked_at.append(index)
            if index not in excluded:
                quotas[label] -= 1
                kept.append(index)
    return kept


@st.composite
def jobs(draw: st.DrawFn) -> dict[str, Any]:
    total = 120
    return {
        "n": draw(st.integers(1, 30)),
        "cut": Cut(first=draw(st.integers(1, 9)), most=draw(st.integers(9, 40))),
        "shares": draw(st.sampled_from([(), (2, 1), (1, 0), (5, 3)])),
        "distinct": draw(st.sampled_from([None, 0, 1, 3])),
        "accepted": draw(st.lists(st.booleans(), min_size=total, max_size=total)),
        "excluded": tuple(sorted(draw(st.sets(st.integers(0, 40), max_size=6)))),
        "hashes": draw(st.lists(HASHES, min_size=total, max_size=total)),
        "end_early": draw(st.booleans()),
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # make_spec is a pure function
@given(job=jobs())
def test_kept_images_are_those_of_a_sequential_loop(make_spec: MakeSpec, job: dict[str, Any]) -> None:
    spec = make_spec(n=job["n"], classes=("a", "b")).model_copy(
        update={
            "cut": job["cut"],
            "shares": job["shares"],
            "selection": Selection(keep=500, distinct=job["distinct"], excluded=job["excluded"]),
        }
    )
    accepted, hashes = job["accepted"], job["hashes"]
    expected = expected_indices(spec, accepted, hashes)
    choice, chosen = Choice(spec), list[ChosenShard]()
    for piece in spec.pieces():
        indices = range(piece.indices.start, min(piece.indices.stop, len(accepted)))
        if not indices or choice.is_complete:
            break
        count = len(indices)
        if job["end_early"] and len(expected) == spec.n:  # a worker may end the last shard after the last image
            count = min(count, max(1, expected[-1] + 1 - indices.start))
        shard = shard_of(indices, accepted, hashes, count)
        chosen.append(choose(choice, piece, shard))
    assert [index for shard in chosen for index, _ in shard.images()] == expected
    assert sum(shard.count for shard in chosen) == sum(choice.kept) == len(expected)
    assert choice.is_complete == (len(expected) == spec.n)
    assert choice.next_index == (expected[-1] + 1 if expected else 0)
    for part in chosen:
        # The parts are the bytes of the kept rows, and none are adjacent.
        rows = [row for _, row in part.images()]
        spans = [(span.start, span.start + span.size) for span in part.parts()]
        assert [b for start, end in spans for b in range(start, end)] == [
            b for row in rows for b in range(SIZE * row, SIZE * (row + 1))
        ]
        assert all(before[1] < after[0] for before, after in itertools.pairwise(spans))


def test_excluded_images_of_a_job_without_a_selection_are_replaced_class_by_class(make_spec: MakeSpec) -> None:
    spec = make_spec(n=6, classes=("a", "b"), shard_images=4).model_copy(
        update={"first": 1, "selection": Selection(excluded=(2, 4))}
    )
    choice, kept = Choice(spec), list[int]()
    for piece in itertools.islice(spec.pieces(), 3):
        shard = shard_of(piece.indices, [True] * 20, [0] * 20, len(piece.indices))
        kept += [index for index, _ in choose(choice, piece, shard.model_copy(update={"candidates": None})).images()]
    assert kept == [1, 3, 5, 6, 8, 10]
    assert (choice.tried, choice.kept) == ([5, 3], [3, 3])


def test_a_complete_class_is_not_tried(make_spec: MakeSpec) -> None:
    spec = make_spec(n=3, classes=("a", "b")).model_copy(update={"shares": (2, 1), "selection": Selection(keep=500)})
    choice = Choice(spec)
    labels = spec.labels(range(6))
    kept = [choice.take(index, None, is_accepted=labels[index] == 1) for index in range(6)]
    assert labels == [0, 1, 0, 0, 1, 0]
    assert kept == [False, True, False, False, False, False]
    assert choice.tried == [4, 1]


@given(st.lists(st.integers(0, 2**64 - 1), max_size=20), st.integers(0, 2**64 - 1), st.integers(0, 3))
def test_near_hashes_are_those_of_a_loop(values: list[int], base: int, bits: int) -> None:
    near = NearHashes(bits)
    values += [base ^ 1, base ^ (3 << 20), base ^ (7 << 40)]
    for count, value in enumerate(values):
        expected = any((other ^ value).bit_count() <= bits for other in values[:count])
        assert near.has_near(value) == expected
        near.add(value)
