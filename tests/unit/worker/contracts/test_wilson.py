import pytest

from worker.contracts.wilson import wilson_interval


@pytest.mark.parametrize(
    ("hits", "tries", "low", "high"),
    [  # of scipy 1.17.1, binomtest(hits, tries).proportion_ci(method="wilson")
        (50, 100, 0.403832, 0.596168),
        (0, 10, 0.0, 0.277533),
        (10, 10, 0.722467, 1.0),
        (500, 1012, 0.463349, 0.524839),
        (1, 3, 0.061492, 0.79234),
    ],
)
def test_an_interval_is_that_of_scipy(hits: int, tries: int, low: float, high: float) -> None:
    assert wilson_interval(hits, tries) == pytest.approx((low, high), abs=1e-6)


def test_nothing_is_known_without_tries() -> None:
    assert wilson_interval(0, 0) == (0, 1)
