from collections import Counter

import pytest

from training.dataset import class_folders
from training.errors import DatasetError


def names(folders: dict[str, int]) -> list[str]:
    return [f"{folder}/{number}.png".lstrip("/") for folder, count in folders.items() for number in range(count)]


def classes(folders: dict[str, int], downloads: frozenset[str] = frozenset()) -> dict[str, int]:
    return dict(Counter(class_folders.find_classes(names(folders), downloads).labels.values()))


@pytest.mark.parametrize(
    "splits", [("train", "valid", "test"), ("Training", "Testing"), ("trainset", "val2017"), ("seg_train", "seg_pred")]
)
def test_split_folders_are_merged_and_never_classes(splits: tuple[str, ...]) -> None:
    folders = {f"{split}/{name}": 2 for split in splits for name in ("cat", "dog")}
    found = class_folders.find_classes(names(folders))
    assert Counter(found.labels.values()) == {"cat": 2 * len(splits), "dog": 2 * len(splits)}
    assert (found.stray, found.merged) == ([], splits)


def test_a_split_without_class_folders_is_set_aside() -> None:
    found = class_folders.find_classes(names({"train/cat": 3, "train/dog": 3, "test": 9}))
    assert set(found.labels.values()) == {"cat", "dog"}
    assert len(found.stray) == 9


def test_a_split_that_lacks_a_class_is_merged() -> None:
    assert classes({"train/cat": 3, "train/dog": 3, "test/cat": 2}) == {"cat": 5, "dog": 3}


def test_folders_named_images_within_classes_or_splits_are_no_classes() -> None:
    tiny = {"train/n1/images": 3, "train/n2/images": 3, "val/images": 2}
    assert classes(tiny) == {"n1": 3, "n2": 3}
    assert classes({"images/train/cat": 3, "images/train/dog": 3, "images/val/cat": 1}) == {"cat": 4, "dog": 3}


def test_splits_without_classes_and_splits_within_classes_are_no_classes() -> None:
    assert classes({"train": 3, "test": 2}) == {}
    assert classes({"cat/train": 3, "cat/test": 2, "dog/train": 3, "dog/test": 1}) == {"cat": 5, "dog": 4}


def test_a_class_may_be_called_train() -> None:
    assert classes({"train": 30, "plane": 30, "car": 1}) == {"train": 30, "plane": 30, "car": 1}


def test_downloads_side_by_side_are_merged() -> None:
    both = {f"{top}/images/{era}": 2 for top in ("a", "b") for era in ("modern", "early")}
    assert classes(both) == {"modern": 4, "early": 4}
    apart = {"a/images/modern": 2, "b/images/early": 3}
    assert classes(apart, frozenset({"a", "b"})) == {"modern": 2, "early": 3}


def test_numbered_parts_are_merged() -> None:
    assert classes({f"fold_{k}/{name}": 2 for k in (1, 2) for name in ("cat", "dog")}) == {"cat": 4, "dog": 4}


@pytest.mark.parametrize("stray", ["", "docs", "data", "runs/00000-flagship-x-64/samples"])
def test_a_stray_picture_above_the_classes_changes_no_label(stray: str) -> None:
    found = class_folders.find_classes(names({stray: 1, "data/cat": 4, "data/dog": 4}))
    assert Counter(found.labels.values()) == {"cat": 4, "dog": 4}
    assert len(found.stray) == 1


def test_two_levels_that_could_be_the_classes_are_a_question() -> None:
    folders = {f"{animal}/{place}": 2 for animal in ("cat", "dog") for place in ("indoor", "outdoor")}
    with pytest.raises(DatasetError, match=r"cat, dog or, below them, indoor, outdoor; use --classes-from"):
        class_folders.find_classes(names(folders))
    assert set(class_folders.by_upper(names(folders)).labels.values()) == {"cat", "dog"}
    assert set(class_folders.by_parent(names(folders)).labels.values()) == {"indoor", "outdoor"}


def test_folders_in_one_class_only_are_no_classes() -> None:
    assert classes({"cat/black": 2, "cat/white": 2, "dog": 2}) == {"cat": 4, "dog": 2}


def test_the_upper_level_is_taken_as_it_is_where_that_is_chosen() -> None:
    assert set(class_folders.by_upper(names({"x/train": 2, "x/test": 2})).labels.values()) == {"train", "test"}


def test_two_pictures_beside_a_folder_of_classes_are_strays_and_more_are_a_question() -> None:
    inner = {"set/data/cat": 30, "set/data/dog": 30}
    assert classes({"extra": 2, **inner}) == {"cat": 30, "dog": 30}
    with pytest.raises(DatasetError, match="extra, set or, below them, cat, dog"):
        classes({"extra": 5, **inner})
    assert classes({"extra": 30, **inner}) == {"extra": 30, "set": 60}


def test_what_lies_beside_splits_is_set_aside() -> None:
    folders = {"train/good": 4, "test/good": 2, "test/broken": 2, "ground_truth/broken": 2}
    found = class_folders.find_classes(names(folders))
    assert Counter(found.labels.values()) == {"good": 6, "broken": 2}
    assert {name.split("/")[0] for name in found.stray} == {"ground_truth"}


def test_a_folder_within_a_class_is_told() -> None:
    assert class_folders.find_classes(names({"cat/black": 2, "dog": 2})).within == "cat/black"
    assert class_folders.find_classes(names({"cat": 2, "dog": 2})).within is None
