import pytest

from training.dataset import class_names
from training.errors import DatasetError


@pytest.mark.parametrize(
    "names",
    [
        [str(k) for k in range(12)],
        ["-1", "1"],
        [f"class_{k}" for k in (1, 2, 10)],
        ["3-5", "20-30"],
        ["0.5", "2.25", "10.0"],
        ["19th-century", "early-20th", "modern"],
        ["10 red", "2 blue"],
    ],
)
def test_names_that_differ_in_numbers_only_stand_in_their_order(names: list[str]) -> None:
    assert class_names.ordered(reversed(names)) == names


def test_names_that_may_be_one_are_found_and_merged_into_the_most_frequent() -> None:
    counts = {"Dog": 2, "dog": 5, "DOG": 1, "golden retriever": 1, "golden_retriever": 3, "-1": 4, "1": 4}
    assert class_names.alike(counts) == [["DOG", "Dog", "dog"], ["golden retriever", "golden_retriever"]]
    merged = class_names.merged(counts)
    assert (merged["DOG"], merged["golden retriever"], merged["-1"]) == ("dog", "golden_retriever", "-1")


def test_classes_are_chosen_by_name() -> None:
    assert class_names.chosen("a, b", ["a", "b", "c"]) == {"a", "b"}
    assert class_names.chosen("x, y", ["x, y", "z"]) == {"x, y"}
    with pytest.raises(DatasetError, match="--only-classes: no class 'd'; there are a, b"):
        class_names.chosen("a,d", ["a", "b"])
