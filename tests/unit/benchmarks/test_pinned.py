import pytest

from benchmarks.pinned import speedup


@pytest.mark.parametrize(
    ("shards", "workers", "expected"),
    [
        ([16, 32, 64], 1, 1.0),
        ([100] * 4, 2, 2.0),
        ([100] * 3, 2, 1.5),  # the last one is rendered while the other worker is idle
        ([16, 32, 48, 64], 2, 160 / 96),  # 16 + 48 beside 32 + 64
        ([100], 2, 1.0),
    ],
)
def test_workers_take_shards_in_order_as_they_become_free(shards: list[int], workers: int, expected: float) -> None:
    assert speedup(shards, workers) == pytest.approx(expected)
