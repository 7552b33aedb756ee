from pathlib import Path

import pytest

from app.jobs.extension import extended
from tests.unit.conftest import spec_of
from tests.unit.selections import commit_shard, selecting_spec
from worker.contracts.jobs import JobSpec
from worker.contracts.slices import is_certainly_stored, slices
from worker.contracts.store.store import Store


def pieces_of(spec: JobSpec, store: Store) -> list[tuple[int, int, bool]]:
    """List the slices: number of the shard, number of pieces, and whether the slice is stored."""
    found = slices(spec, store.choices.chosen_shards(spec))
    return [(each.shard, len(each.pieces), each.is_stored) for each in found]


@pytest.mark.parametrize("layout", [{"packing": "parquet"}, {"format": "npz"}])
def test_a_shard_that_is_one_file_is_laid_out_again_if_it_is_divided(tmp_path: Path, layout: dict[str, str]) -> None:
    spec, store = selecting_spec(n=5).model_copy(update=layout), Store(str(tmp_path))
    for shard, accepted in enumerate(([0, 1, 2, 3], [], [8, 9])):
        commit_shard(store, spec, shard, accepted.__contains__)
    # The first shard is whole, the second has no image, and the third has one too many.
    assert pieces_of(spec, store) == [(0, 1, True), (2, 1, False)]
    divisible = spec.model_copy(update={"id": "y" * 22, "packing": "imagefolder", "format": "png"})
    for shard, accepted in enumerate(([0, 1, 2, 3], [], [8, 9])):
        commit_shard(store, divisible, shard, accepted.__contains__)
    assert pieces_of(divisible, store) == [(0, 1, True), (1, 1, True), (2, 1, True)]


def test_the_pieces_of_a_shard_are_one_file(tmp_path: Path) -> None:
    spec, store = spec_of(6).model_copy(update={"packing": "parquet"}), Store(str(tmp_path))
    longer = extended(store, spec, 4).model_copy(update={"id": "y" * 22})
    for job in (spec, longer):
        for shard in job.shards:
            commit_shard(store, job, shard, lambda _: True)
    assert pieces_of(spec, store) == [(0, 1, True), (1, 1, True)]
    assert pieces_of(longer, store) == [(0, 1, True), (1, 2, False), (2, 1, True)]
    found = list(store.choices.chosen_shards(longer))
    next_pieces = [*(shard.piece for shard in found[1:]), None]
    pairs = list(zip(found, next_pieces, strict=True))
    assert [is_certainly_stored(longer, *pair) for pair in pairs] == [True, False, True, True]
