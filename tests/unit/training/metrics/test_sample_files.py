import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.tiny import picture
from training.errors import DatasetError
from training.metrics import sample_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(6):
        path = tmp_path / "out" / "images" / ("cat" if number % 2 else "dog") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(number, (32, 32)).save(path)
    return tmp_path / "out"


def test_a_folder_and_a_zip_of_it_are_the_same_pictures_with_the_labels_of_the_data(folder: Path) -> None:
    with zipfile.ZipFile(folder.parent / "out.zip", "w") as archive:
        for path in folder.rglob("*.png"):
            archive.write(path, path.relative_to(folder))
    assert sample_files.is_image_source(folder)
    assert sample_files.is_image_source(folder.parent / "out.zip")
    found, zipped = (
        sample_files.read(path, 32, ("ant", "cat", "dog"), 100) for path in (folder, folder.parent / "out.zip")
    )
    assert found.sha256 == zipped.sha256
    assert found.labels is not None
    assert found.labels.tolist() == [1, 1, 1, 2, 2, 2]
    assert torch.equal(found.images[0], torch.from_numpy(np.array(picture(1, (32, 32)))).permute(2, 0, 1))


def test_classes_that_the_data_do_not_have_are_no_labels(folder: Path) -> None:
    assert sample_files.read(folder, 32, ("cat",), 100).labels is None


def test_of_too_many_pictures_some_are_taken_evenly(folder: Path) -> None:
    labels = sample_files.read(folder, 32, ("cat", "dog"), 2).labels
    assert labels is not None
    assert labels.tolist() == [0, 1]


def test_pictures_that_cannot_be_used_are_counted(folder: Path) -> None:
    (folder / "images" / "cat" / "bad.png").write_bytes(b"bad")
    found = sample_files.read(folder, 32, (), 100)
    assert (len(found.images), found.unusable) == (6, 1)


def test_the_arrays_of_a_service_are_read(tmp_path: Path) -> None:
    images = np.stack([np.array(picture(k, (32, 32))) for k in range(5)])
    np.savez(tmp_path / "out.npz", images_00000=images[:3], images_00001=images[3:], labels=np.arange(5))
    found = sample_files.read(tmp_path / "out.npz", 32, ("cat", "dog"), 100)
    assert torch.equal(found.images, torch.from_numpy(images).permute(0, 3, 1, 2))
    assert found.labels is None
    assert sample_files.read(tmp_path / "out.npz", 64, (), 100).images.shape == (5, 3, 64, 64)


def test_the_innermost_folder_that_is_a_class_is_the_label(tmp_path: Path) -> None:
    for name in ("dog/cat/a.png", "dog/other/b.png", "zig%2Fzag/c.png", "d.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        picture(1, (32, 32)).save(tmp_path / name)
    found = sample_files.find(tmp_path, ("cat", "dog", "zig/zag"))
    assert {item.name: item.label for item in found} == {
        "d.png": None,
        "dog/cat/a.png": "cat",
        "dog/other/b.png": "dog",
        "zig%2Fzag/c.png": "zig/zag",
    }


def test_a_number_is_the_position_of_a_class(tmp_path: Path) -> None:
    images = np.stack([np.array(picture(k, (32, 32))) for k in range(4)])
    np.savez(tmp_path / "out.npz", images_00000=images, labels=np.array([1, 0, -1, 2]))
    found = sample_files.find(tmp_path / "out.npz", ("cat", "dog"))
    assert [item.label for item in found] == ["dog", "cat", None, None]


def test_a_cut_zip_and_a_text_file_are_no_archives(folder: Path) -> None:
    with zipfile.ZipFile(folder.parent / "out.zip", "w") as archive:
        for path in folder.rglob("*.png"):
            archive.write(path, path.relative_to(folder))
    cut = folder.parent / "cut.zip"
    cut.write_bytes((folder.parent / "out.zip").read_bytes()[:-30])
    text = folder.parent / "text.zip"
    text.write_text("not a zip")
    for path, reason in ((cut, "the end of the zip is missing"), (text, "neither a folder nor a zip")):
        with pytest.raises(DatasetError, match=reason):
            sample_files.find(path, ())
