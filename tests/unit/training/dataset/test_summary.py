import dataclasses
from typing import Any

from training.dataset import summary
from training.dataset.dataset_files import Dataset, HeldOut, RejectedFile


def described(dataset: Dataset, **changes: Any) -> Dataset:
    return dataclasses.replace(dataset, description=dataset.description.model_copy(update=changes))


def test_a_clean_dataset_is_summed_up_without_a_warning(dataset: Dataset) -> None:
    assert summary.lines(dataset) == [
        "24 images of 32 x 32 px, 2 classes (cat, dog), 0 set aside",
        "the classes have 8 (dog) to 16 (cat) images",
    ]


def test_a_dataset_without_classes_says_nothing_of_them(dataset: Dataset) -> None:
    assert summary.lines(described(dataset, classes=())) == ["24 images of 32 x 32 px, 0 set aside"]


def test_many_classes_are_not_all_named(dataset: Dataset) -> None:
    first = summary.lines(described(dataset, classes=tuple(f"c{k}" for k in range(13))))[0]
    assert "13 classes (c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, ...)" in first


def test_a_long_list_of_bad_files_is_cut(dataset: Dataset) -> None:
    lines = summary.lines(
        described(dataset, set_aside=tuple(RejectedFile(file=f"{k}", reason="bad") for k in range(25)))
    )
    assert lines[:2] == ["set aside 0: bad", "set aside 1: bad"]
    assert lines[19:21] == ["set aside 19: bad", "set aside 5 more; dataset.json lists them all"]
    assert lines[21].endswith("25 set aside")


def test_a_list_of_just_the_length_is_not_cut(dataset: Dataset) -> None:
    lines = summary.lines(
        described(dataset, set_aside=tuple(RejectedFile(file=f"{k}", reason="bad") for k in range(20)))
    )
    assert not any("more" in line for line in lines)


def test_small_images_and_copies_are_told(dataset: Dataset) -> None:
    lines = summary.lines(described(dataset, enlarged=3, duplicates=2))
    assert "3 were smaller than 32 px and were enlarged: they look soft" in lines
    assert "2 show exactly the pixels of another image" in lines


def test_a_name_cannot_steer_the_terminal(dataset: Dataset) -> None:
    evil = RejectedFile(file="a\n\x1b[2Jb \u00e9.png", reason="bad")
    assert summary.lines(described(dataset, set_aside=(evil,)))[0] == "set aside a\\n\\x1b[2Jb \u00e9.png: bad"


def test_classes_that_lost_all_their_images_are_told(dataset: Dataset) -> None:
    lines = summary.lines(dataset, ["cat", "dog", "bird", None])
    assert "no usable image of 1 classes: bird" in lines


def test_what_was_assumed_and_cut_away_is_told(dataset: Dataset) -> None:
    lines = summary.lines(described(dataset, dim=12, cut=0.25, remarks={"a profile was ignored": 3}))
    assert any(line.startswith("12 use less than 1/8 of their range (nearly black or of one grey)") for line in lines)
    assert "in 3 of the files, a profile was ignored" in lines
    assert "25% of an image lies outside of the square on average (centre square)" in lines


def test_classes_of_one_size_are_told_in_short(dataset: Dataset) -> None:
    equal = dataclasses.replace(dataset, labels=dataset.labels[:2] * 0 + dataset.labels.new_tensor([0, 1]))
    assert "the classes have 1 images each" in summary.lines(equal)


def test_held_out_images_are_counted_by_class(dataset: Dataset) -> None:
    held_out = HeldOut(dataset.images[:3], dataset.labels[:3] * 0)
    made = dataclasses.replace(described(dataset, held_out=3, near_duplicates=2), held_out=held_out)
    assert summary.lines(made)[1:4] == [
        "3 more images are held out: 3 cat, 0 dog; no training sees them",
        "2 groups of images show nearly the same; each is on one side",
        "no image is held out of 1 classes with too few different images: dog",
    ]
    bare = dataclasses.replace(described(dataset, held_out=3, classes=()), held_out=held_out)
    assert summary.lines(bare)[1] == "3 more images are held out; no training sees them"
