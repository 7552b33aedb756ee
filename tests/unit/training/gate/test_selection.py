import torch
from hypothesis import given
from hypothesis import strategies as st

from training.gate.selection import KeptSet, quotas, take_chunk

SCORES = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1000)), max_size=60)


def test_the_first_images_of_each_class_that_reach_the_threshold_are_kept() -> None:
    kept = KeptSet(0.5, torch.tensor([2, 1]))
    rows = take_chunk([kept], 10, torch.tensor([0, 0, 1, 0, 0, 1]), [500, 499, 999, 1000, 1000, 1000])
    assert rows == [0, 2, 3]
    assert kept.rows == [10, 12, 13]
    assert kept.is_full


def test_a_share_of_one_keeps_every_image() -> None:
    kept = KeptSet(1.0, torch.tensor([3]))
    take_chunk([kept], 0, torch.tensor([0, 0, 0]), [0, 0, 1000])
    assert kept.rows == [0, 1, 2]


def test_thresholds_are_exact_in_thousandths() -> None:
    kept = KeptSet(0.9, torch.tensor([2]))
    take_chunk([kept], 0, torch.tensor([0, 0]), [99, 100])
    assert kept.rows == [1]


@given(SCORES, st.integers(1, 60))
def test_chunks_do_not_change_the_choice(stream: list[tuple[int, int]], size: int) -> None:
    def kept_rows(step: int) -> list[list[int]]:
        sets = [KeptSet(keep, torch.tensor([4, 3, 2])) for keep in (1.0, 0.5, 0.2)]
        for first in range(0, len(stream), step):
            labels, scores = zip(*stream[first : first + step], strict=True)
            take_chunk(sets, first, torch.tensor(labels), scores)
        return [each.rows for each in sets]

    assert kept_rows(size) == kept_rows(max(1, len(stream)))


def test_quotas_have_one_row_for_an_unconditional_model() -> None:
    assert quotas(torch.zeros(5, dtype=torch.int64), 0).tolist() == [5]
    assert quotas(torch.tensor([2, 0, 2]), 4).tolist() == [1, 0, 2, 0]
