from hypothesis import given
from hypothesis import strategies as st

from tests.unit.conftest import spec_of
from worker.contracts.cut import Cut
from worker.contracts.pieces import Ancestor

IDS = [f"{k:022d}" for k in range(9)]


@given(
    begin=st.integers(0, 100),
    cut=st.builds(lambda first, grow: Cut(first=first, most=first + grow), st.integers(1, 20), st.integers(0, 200)),
    sizes=st.lists(st.integers(1, 300), min_size=1, max_size=6),
)
def test_each_candidate_lies_in_one_piece_whatever_was_extended(begin: int, cut: Cut, sizes: list[int]) -> None:
    totals = [sum(sizes[: k + 1]) for k in range(len(sizes))]
    ancestors = [Ancestor(job=name, n=n, stop=begin + n) for name, n in zip(IDS, totals[:-1], strict=False)]
    plain = spec_of(totals[-1]).model_copy(update={"cut": cut, "first": begin})
    spec = plain.model_copy(update={"ancestors": tuple(ancestors)})
    pieces = list(spec.pieces())
    assert [index for piece in pieces for index in piece.indices] == list(range(begin, begin + totals[-1]))
    assert [piece.number for piece in pieces] == list(range(len(pieces)))
    for piece in pieces:
        # Each piece lies in the shard that a job of the whole dataset would have.
        assert set(piece.indices) <= set(plain.shard_indices(piece.shard))
        assert all(spec.find_piece(index) == piece for index in (piece.indices[0], piece.indices[-1]))
    own = [piece for piece in pieces if piece.job_id == spec.id]
    assert [piece.shard for piece in own] == list(spec.shards)
    assert [piece.indices for piece in own] == [spec.shard_indices(shard) for shard in spec.shards]
    assert sum(len(piece.indices) for piece in own) == sizes[-1] == spec.n - spec.inherited


def test_each_level_of_an_extension_has_the_pieces_of_the_level_before() -> None:
    cut = Cut(first=16, most=64)
    parent = spec_of(100).model_copy(update={"cut": cut, "id": IDS[0]})
    child = parent.model_copy(update={"id": IDS[1], "n": 130, "ancestors": (Ancestor(job=IDS[0], n=100, stop=100),)})
    assert list(child.pieces())[: len(list(parent.pieces()))] == list(parent.pieces())
