import zipfile
from pathlib import Path

import pytest

from tests.tiny import picture
from training.dataset.image_source import items
from training.dataset.label_table import LabelColumn
from training.errors import DatasetError


def zipped(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    return path


def test_class_folders_become_labels_and_a_zip_of_them_reads_the_same(class_folders: Path) -> None:
    from_folder, from_zip = items(class_folders), items(zipped(class_folders))
    assert [(i.name, i.label) for i in from_folder] == [(i.name, i.label) for i in from_zip]
    assert {i.label for i in from_folder} == {"cat", "dog"}
    assert all(a.read() == b.read() for a, b in zip(from_folder, from_zip, strict=True))


def test_a_flat_folder_and_a_single_sub_folder_are_unlabelled(class_folders: Path) -> None:
    assert {i.label for i in items(class_folders / "cat")} == {None}
    picture(0).save(class_folders / "cat" / "more.png")
    (class_folders / "dog").rename(class_folders / "cat" / "dog")
    assert {i.label for i in items(class_folders)} == {None}


def test_a_stray_image_is_set_aside_and_leaves_the_others_their_classes(class_folders: Path) -> None:
    picture(0).save(class_folders / "stray.png")
    found = {i.name: i for i in items(class_folders)}
    assert {i.label for name, i in found.items() if name != "stray.png"} == {"cat", "dog"}
    with pytest.raises(DatasetError, match="is in no class folder"):
        found["stray.png"].read()


def test_where_most_images_lie_in_no_folder_folders_are_no_classes(class_folders: Path) -> None:
    for number in range(100):
        picture(number).save(class_folders / f"{number}.png")
    assert {i.label for i in items(class_folders)} == {None}


def test_a_csv_column_labels_files_by_path_or_by_name(class_folders: Path) -> None:
    (class_folders / "labels.csv").write_text("file,size\ncat/01.png,big\n02.png,small\n", encoding="utf-8")
    for source in (class_folders, zipped(class_folders)):
        found = {i.name: i.label for i in items(source, LabelColumn("labels.csv", "size"))}
        assert (found["cat/01.png"], found["cat/02.png"], found["dog/00.png"]) == ("big", "small", None)


def test_a_folder_around_all_others_does_not_count(class_folders: Path) -> None:
    (class_folders / "READ ME.txt").write_text("none", encoding="utf-8")
    inner = class_folders.rename(class_folders.parent / "inner")
    class_folders.mkdir()
    inner.rename(class_folders / "inner")
    for source in (class_folders, zipped(class_folders)):
        assert {i.name.split("/")[1]: i.label for i in items(source)} == {"cat": "cat", "dog": "dog"}


def test_folders_within_class_folders_do_not_count(class_folders: Path) -> None:
    (class_folders / "cat" / "black").mkdir()
    (class_folders / "cat" / "01.png").rename(class_folders / "cat" / "black" / "01.png")
    assert {i.name: i.label for i in items(class_folders)}["cat/black/01.png"] == "cat"


def test_a_class_is_one_however_its_accents_and_blanks_are_written(class_folders: Path) -> None:
    (class_folders / "cat").rename(class_folders / "caf\u00e9")
    (class_folders / "dog").rename(class_folders / "cafe\u0301 ")
    assert {i.label for i in items(class_folders)} == {"caf\u00e9"}


def test_a_zip_with_the_slashes_of_windows_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("./cat\\1.png", "./dog\\2.png"):
            archive.writestr(name, b"")
    assert [(i.name, i.label) for i in items(tmp_path / "a.zip")] == [("cat/1.png", "cat"), ("dog/2.png", "dog")]


def test_linked_folders_are_followed_but_not_in_circles(class_folders: Path) -> None:
    (class_folders.parent / "elsewhere").mkdir()
    picture(0).save(class_folders.parent / "elsewhere" / "a.png")
    (class_folders / "bird").symlink_to(class_folders.parent / "elsewhere", target_is_directory=True)
    (class_folders / "cat" / "up").symlink_to(class_folders, target_is_directory=True)
    found = [i.name for i in items(class_folders)]
    assert len(found) == 25
    assert "bird/a.png" in found


def test_a_table_names_what_is_not_there_and_what_it_says_twice(class_folders: Path) -> None:
    rows = "01.png,a\n01.png,b\n02.png,a\ngone.png,a\nlost.png,a\n"
    (class_folders / "labels.csv").write_text(f"file,kind\n{rows}", encoding="utf-8")
    found = {i.name: i for i in items(class_folders, LabelColumn("labels.csv", "kind"))}
    with pytest.raises(DatasetError, match=r"several labels: 'a', 'b'"):
        found["cat/01.png"].read()
    with pytest.raises(DatasetError, match=r"2 files that it names do not exist, the first is 'gone.png'"):
        found["labels.csv"].read()
    assert found["cat/02.png"].label == "a"


def test_a_table_that_names_all_images_is_not_listed(class_folders: Path) -> None:
    rows = "".join(f"{i.name},x\n" for i in items(class_folders))
    (class_folders / "labels.csv").write_text(f"file,kind\n{rows}", encoding="utf-8")
    assert len(items(class_folders, LabelColumn("labels.csv", "kind"))) == 24


def test_a_damaged_table_in_a_zip_is_refused(class_folders: Path) -> None:
    (class_folders / "labels.csv").write_text("file,kind\n01.png,a\n", encoding="utf-8")
    path = zipped(class_folders)
    path.write_bytes(path.read_bytes().replace(b"01.png,a", b"01.png,b"))
    with pytest.raises(DatasetError, match="damaged in the zip"):
        items(path, LabelColumn("labels.csv", "kind"))


def test_an_unknown_column_is_refused_with_the_ones_there_are(class_folders: Path) -> None:
    (class_folders / "labels.csv").write_text("file,size\n", encoding="utf-8")
    with pytest.raises(DatasetError, match="no column 'colour'; it has file, size"):
        items(class_folders, LabelColumn("labels.csv", "colour"))


def test_hidden_files_and_other_files_are_not_images(class_folders: Path) -> None:
    (class_folders / "cat" / "notes.txt").write_text("none", encoding="utf-8")
    (class_folders / "cat" / ".hidden.png").write_bytes(b"")
    (class_folders / "__MACOSX").mkdir()
    (class_folders / "__MACOSX" / "a.png").write_bytes(b"")
    assert len(items(class_folders)) == 24


def test_unusable_sources_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such folder or zip"):
        items(tmp_path / "none")
    with pytest.raises(DatasetError, match="no images found"):
        items(tmp_path)
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(DatasetError, match="neither a folder nor a zip"):
        items(tmp_path / "a.zip")
