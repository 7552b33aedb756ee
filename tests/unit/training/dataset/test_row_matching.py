import pytest

from training.dataset.row_matching import Matches, Row, matched


def match(rows: list[str], files: list[str], source: str = "", folder: str = "") -> Matches:
    return matched([Row(row, row, folder) for row in rows], files, source)


def pairs(found: Matches) -> dict[str, list[str]]:
    return {file: [row.name for row in match.rows] for file, match in found.of_file.items()}


@pytest.mark.parametrize(
    "row",
    [
        "/home/me/images/cat/0.png",
        "C:\\data\\cat\\0.png",
        "https://a.b/c/cat/0.png?size=1",
        "cat/0.png",
        "CAT/0.PNG",
        "cat/0",
    ],
)
def test_a_row_means_the_file_that_its_tail_names(row: str) -> None:
    assert pairs(match([row], ["cat/0.png", "dog/0.png"])) == {"cat/0.png": [row]}


@pytest.mark.parametrize("row", ["img_0.jpg", "IMG_0", "img_0", "IMG_0.png"])
def test_case_and_suffix_may_differ_where_one_file_is_meant(row: str) -> None:
    assert pairs(match([row], ["IMG_0.JPG", "IMG_00.JPG"])) == {"IMG_0.JPG": [row]}


def test_a_file_of_just_that_name_goes_before_others() -> None:
    assert pairs(match(["a.png", "A.png"], ["a.png", "A.png"])) == {"a.png": ["a.png"], "A.png": ["A.png"]}
    assert pairs(match(["a"], ["a", "a.png"])) == {"a": ["a"]}


def test_a_name_that_fits_two_files_is_ambiguous() -> None:
    found = match(["0.png"], ["train/0.png", "test/0.png"])
    assert found.of_file == {}
    assert found.ambiguous["test/0.png"] == "the row '0.png' fits 2 files: train/0.png, test/0.png"


def test_a_better_row_takes_its_file_first() -> None:
    found = match(["0.png", "train/0.png"], ["train/0.png", "test/0.png"])
    assert pairs(found) == {"train/0.png": ["train/0.png"], "test/0.png": ["0.png"]}


def test_folders_that_contradict_each_other_never_match() -> None:
    found = match(["cat/0.png", "bird/1.png"], ["dog/0.png", "cat/1.png"])
    assert (found.of_file, found.unmatched) == ({}, ["cat/0.png", "bird/1.png"])


def test_another_split_never_matches() -> None:
    assert match(["test/0.png"], ["0.png"], source="train").unmatched == ["test/0.png"]
    assert pairs(match(["train/0.png"], ["0.png"], source="training")) == {"0.png": ["train/0.png"]}


def test_a_row_is_read_from_where_its_table_lies() -> None:
    files = ["train/0.png", "test/0.png"]
    assert pairs(match(["0.png"], files, folder="train")) == {"train/0.png": ["0.png"]}


def test_a_table_beside_images_labels_no_others() -> None:
    files = ["train/0.png", "test/1.png"]
    assert match(["1.png"], files, folder="train").unmatched == ["1.png"]
    assert pairs(match(["1.png"], files, folder="labels")) == {"test/1.png": ["1.png"]}


def test_a_folder_around_all_files_does_not_count() -> None:
    files = ["main/cat/0.png", "main/dog/0.png"]
    assert pairs(match(["/x/cat/0.png"], files)) == {"main/cat/0.png": ["/x/cat/0.png"]}
