import pytest

from training.audit import explanations
from training.audit.explanations import show, show_interval
from training.metrics.figures import Figures


def test_every_figure_is_explained() -> None:
    assert set(explanations.FIGURES) == {name.strip("_") for name in Figures.model_fields}


@pytest.mark.parametrize(("key", "name"), [("fd_efflite0", "fd"), ("copies_efflite0", "copies"), ("kid", "kd")])
def test_a_figure_is_found_by_its_key(key: str, name: str) -> None:
    assert explanations.name_of(key, "efflite0") == name


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.7168, "71.7\xa0%"), (1.0, "100.0\xa0%"), (0.0005, "0.05\xa0%"), (0.0, "0\xa0%"), (None, "-")],
)
def test_shares_are_in_per_cent(value: float | None, text: str) -> None:
    assert show(value, "share") == text


@pytest.mark.parametrize(
    ("value", "text"), [(1234.5, "1,234"), (31.62, "31.6"), (1.128, "1.13"), (0.0428, "0.043"), (-0.0001, "0.000")]
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert show(value, "number") == text


def test_an_interval_names_its_unit_once() -> None:
    assert show_interval((0.69, 0.7363), "share") == "69.0 to 73.6\xa0%"
    assert show_interval((30.58, 32.6), "number") == "30.6 to 32.6"
    assert show_interval(None, "share") == ""
