import zipfile
from pathlib import Path

import pytest

from tests.tiny import picture
from training.dataset.source import LabelColumn, items
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
    picture(0).save(class_folders / "stray.png")
    assert {i.label for i in items(class_folders)} == {None}


def test_a_csv_column_labels_files_by_path_or_by_name(class_folders: Path) -> None:
    (class_folders / "labels.csv").write_text("file,size\ncat/01.png,big\n02.png,small\n", encoding="utf-8")
    for source in (class_folders, zipped(class_folders)):
        found = {i.name: i.label for i in items(source, LabelColumn("labels.csv", "size"))}
        assert (found["cat/01.png"], found["cat/02.png"], found["dog/00.png"]) == ("big", "small", None)


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
