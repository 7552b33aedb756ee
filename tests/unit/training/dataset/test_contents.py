from pathlib import Path

import pytest

from tests.tiny import picture
from tests.unit.training.dataset.test_square_image import encoded
from training.dataset.image_source import SourceOptions, find_images, items
from training.dataset.label_table import LabelColumn
from training.errors import DatasetError


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("hash0001", "PNG"),
        ("a.jpe", "JPEG"),
        ("b.jpg_large", "JPEG"),
        ("c.jpg.1", "JPEG"),
        ("d.pnm", "PPM"),
        ("e.dib", "BMP"),
    ],
)
def test_a_picture_is_known_by_its_content(class_folders: Path, name: str, kind: str) -> None:
    (class_folders / "cat" / name).write_bytes(encoded(picture(1), kind))
    assert f"cat/{name}" in [item.name for item in items(class_folders)]


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.nef", b"II*\0", r"a picture in an unsupported format (.nef); convert it to PNG or JPEG"),
        ("b", b"\0\0\0\x18ftypheic", "a picture in an unsupported format; convert it to PNG or JPEG"),
        ("c", b"PK\3\4", "an archive; unpack it first"),
    ],
)
def test_a_picture_or_archive_that_is_not_read_is_set_aside(
    class_folders: Path, name: str, data: bytes, reason: str
) -> None:
    (class_folders / name).write_bytes(data)
    assert (name, reason) in [(item.name, item.reason) for item in items(class_folders)]


def test_what_is_left_out_is_counted_with_an_example(class_folders: Path) -> None:
    for name in (
        "cat/@eaDir/a.png",
        ".git/x.png",
        "cat/Thumbs.db",
        "__MACOSX/._a.png",
        "notes.txt",
        "BMW report",
        "bird/x.txt",
    ):
        path = class_folders / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"BM is what this begins with")
    (class_folders / "cow").mkdir()
    made = find_images(class_folders)
    assert len(made.items) == 24
    assert sorted(made.skipped.lines()) == [
        "files of an operating system: 1 (__MACOSX)",
        "folders without a picture: 2 (the first is bird/)",
        "hidden files: 1 (.git)",
        "other files: 3 (the first is BMW report)",
        "thumbnails of a file server: 2 (the first is cat/@eaDir)",
    ]


def test_one_split_may_be_chosen(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            (tmp_path / split / name).mkdir(parents=True)
            picture(1).save(tmp_path / split / name / "0.png")
    assert {item.name for item in find_images(tmp_path, SourceOptions(split="train")).items} == {
        "train/cat/0.png",
        "train/dog/0.png",
    }
    with pytest.raises(
        DatasetError, match=r"--split val: no folder of that name holds images; splits are \['test', 'train"
    ):
        find_images(tmp_path, SourceOptions(split="val"))
    (note,) = find_images(tmp_path).notes
    assert note == "test, train are parts of one data set: merged (--split NAME takes one of them)"


def test_tables_of_one_name_in_several_folders_are_read_together(tmp_path: Path) -> None:
    for split, label in (("train", "cat"), ("test", "dog")):
        (tmp_path / split).mkdir()
        picture(1).save(tmp_path / split / "0.png")
        (tmp_path / split / "labels.csv").write_text(f"file,kind\n0.png,{label}\n", encoding="utf-8")
    found_labels = {item.name: item.label for item in items(tmp_path, LabelColumn("labels.csv", "kind"))}
    assert found_labels == {"train/0.png": "cat", "test/0.png": "dog"}


def test_a_table_that_is_not_there_is_answered_with_those_that_are(class_folders: Path) -> None:
    (class_folders / "list_attr.csv").write_text("a,b\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"found neither in .* nor on disk; --labels may be list_attr.csv"):
        items(class_folders, LabelColumn("labels.csv", "kind"))


def test_classes_come_from_one_place(class_folders: Path) -> None:
    with pytest.raises(DatasetError, match="not from both"):
        find_images(class_folders, SourceOptions(LabelColumn("labels.csv", "kind"), "folders"))
    assert {item.label for item in find_images(class_folders, SourceOptions(classes_from="none")).items} == {None}


def test_classes_that_are_alike_are_told_or_merged(tmp_path: Path) -> None:
    for name in ("Dog", "dog", "cat"):
        (tmp_path / name).mkdir()
        picture(1).save(tmp_path / name / "0.png")
    picture(2).save(tmp_path / "dog" / "1.png")
    (note,) = find_images(tmp_path).notes
    assert note == "classes differ only by case or blanks: 'Dog', 'dog' (--merge-classes joins them)"
    merged = find_images(tmp_path, SourceOptions(merge_classes=True))
    assert (merged.notes, {item.label for item in merged.items}) == ([], {"cat", "dog"})


def test_some_classes_may_be_chosen(class_folders: Path) -> None:
    made = find_images(class_folders, SourceOptions(only_classes="dog"))
    assert {item.label for item in made.items} == {"dog"}
    assert made.skipped.lines() == ["images of other classes: 16 (the first is cat/01.png)"]


@pytest.mark.parametrize("name", ["runs/00001-dcgan-x/samples/0.png", "old/log.jsonl"])
def test_pictures_of_training_runs_are_left_out(class_folders: Path, name: str) -> None:
    (class_folders / name).parent.mkdir(parents=True)
    (class_folders / name).touch()
    picture(1).save((class_folders / name).parent / "plots.png")
    made = find_images(class_folders)
    assert {item.label for item in made.items} == {"cat", "dog"}
    assert any(line.startswith("pictures of training runs: ") for line in made.skipped.lines())


def test_a_table_that_is_named_after_a_split_is_for_that_split(tmp_path: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        picture(1).save(tmp_path / split / "0.png")
    (tmp_path / "train.csv").write_text("id,kind\n0,cat\n", encoding="utf-8")
    labels = {item.name: item.label for item in items(tmp_path, LabelColumn("train.csv", "kind"))}
    assert labels == {"train/0.png": "cat", "test/0.png": None}


def test_masks_of_other_images_are_left_out(tmp_path: Path) -> None:
    for folder, end in (("JPEGImages", ""), ("SegmentationClass", ""), ("ground_truth", "_mask")):
        (tmp_path / folder).mkdir()
        for number in range(3):
            picture(number).save(tmp_path / folder / f"2007_{number}{end}.png")
    made = find_images(tmp_path)
    assert [item.name for item in made.items] == [f"JPEGImages/2007_{number}.png" for number in range(3)]
    (line,) = made.skipped.lines()
    assert line.startswith("masks of other images: 6 ")


def test_a_class_may_be_called_mask(tmp_path: Path) -> None:
    for folder in ("mask", "no_mask"):
        (tmp_path / folder).mkdir()
        for number in range(3):
            picture(number).save(tmp_path / folder / f"{number}.png")
    assert {item.label for item in items(tmp_path)} == {"mask", "no_mask"}


def test_an_empty_folder_beside_images_is_told(tmp_path: Path) -> None:
    (tmp_path / "bird").mkdir()
    for number in range(2):
        picture(number).save(tmp_path / f"{number}.png")
    assert find_images(tmp_path).skipped.lines() == ["folders without a picture: 1 (bird/)"]


def test_a_source_without_images_says_what_else_it_holds(tmp_path: Path) -> None:
    (tmp_path / "images-000.npy").touch()
    with pytest.raises(DatasetError, match=r"no images found .*; 1 other files, the first is images-000.npy"):
        find_images(tmp_path)


def test_a_table_that_is_not_used_is_told(class_folders: Path) -> None:
    (class_folders / "labels.csv").write_text("file,kind\n", encoding="utf-8")
    (note,) = find_images(class_folders).notes
    assert note == "labels.csv may hold labels: --labels FILE --label-column NAME takes the classes from there"


@pytest.mark.parametrize("folder", [".", "unpacked/faces"])
def test_a_picture_of_the_report_in_a_download_is_no_image(tmp_path: Path, folder: str) -> None:
    top = tmp_path / folder
    (top / "images").mkdir(parents=True)
    for name in ("grid.png", "images/000000.png"):
        picture(1).save(top / name)
    (top / "metadata.jsonl").write_text('{"file_name": "images/000000.png"}\n')
    found = find_images(tmp_path)
    assert [item.name.removeprefix(f"{folder}/") for item in found.items] == ["images/000000.png"]
    assert any("pictures of a report: 1" in line for line in found.skipped.lines())


def test_pictures_beside_a_table_are_images_where_no_others_are(tmp_path: Path) -> None:
    picture(1).save(tmp_path / "a.png")
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "a.png"}\n')
    assert [item.name for item in items(tmp_path)] == ["a.png"]
