import pytest

from training.errors import MetricsError, UsageError
from training.prove import sizes


def test_numbers_are_sorted_and_said_once() -> None:
    assert sizes.parse("25, 5,10,5") == (5, 10, 25)


@pytest.mark.parametrize("text", ["", "5,", "0", "5,-1", "five", "5;10", "1.5", "٣"])
def test_what_is_no_list_of_numbers_is_refused_with_the_value(text: str) -> None:
    with pytest.raises(UsageError, match="--per-class takes numbers above 0") as caught:
        sizes.parse(text)
    assert repr(text) in str(caught.value)


def test_numbers_larger_than_what_most_classes_have_are_left_out_and_said() -> None:
    made = sizes.choose((5, 10, 200), ("a", "b"), (40, 40))
    assert made.used == (5, 10)
    assert made.notes == ("left out: 200 per class; most classes have at most 40 real images",)


def test_a_rare_class_gives_all_that_it_has() -> None:
    made = sizes.choose((5, 25), ("flags", "food", "people"), (9, 40, 200))
    assert made.used == (5, 25)
    assert made.notes == ("classes with fewer real images than 25 give all that they have: flags 9",)


def test_no_number_that_fits_is_refused() -> None:
    with pytest.raises(MetricsError, match=r"--per-class 50,100: more real images than most classes have .* is 9"):
        sizes.choose((50, 100), ("a", "b"), (9, 9))
