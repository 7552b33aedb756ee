import pytest

from benchmarks.long_job import tenths


def test_an_even_pace_is_the_same_in_each_tenth_however_it_is_sampled() -> None:
    samples = [(0.0, 0), (0.7, 70), (2.0, 200), (9.9, 990), (10.0, 1000)]
    assert tenths(samples, 1000) == pytest.approx([100] * 10)


def test_a_slower_half_is_seen_in_its_tenths() -> None:
    assert tenths([(0, 0), (1, 500), (3, 1000)], 1000) == pytest.approx([500] * 5 + [250] * 5)


def test_time_without_progress_counts_for_what_came_after_it() -> None:
    rates = tenths([(0, 0), (1, 100), (3, 100), (12, 1000)], 1000)
    assert rates == pytest.approx([100, 100 / 3, *[100] * 8])


def test_a_job_that_was_not_seen_to_its_end_is_refused() -> None:
    with pytest.raises(ValueError, match="samples up to 900 images do not tell when 1000 were done"):
        tenths([(0, 0), (1, 900)], 1000)
