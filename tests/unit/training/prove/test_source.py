import zipfile
from pathlib import Path

import pytest

from models.errors import ModelError
from tests.unit.training.prove.conftest import save_card, save_generator, save_patterns
from training.errors import MetricsError
from training.prove import source


def test_a_checkpoint_is_its_own_maker(tmp_path: Path) -> None:
    found = source.find(str(save_generator(tmp_path, "a" * 64)), None)
    assert not found.is_files
    assert found.name == "tiny"
    assert found.header is not None
    assert found.header.data.sha256 == "a" * 64


def test_a_shipped_model_is_found_by_its_name() -> None:
    assert source.find("faces-64", None).name == "faces-64"


def test_the_maker_of_images_is_unknown_unless_named(tmp_path: Path) -> None:
    found = source.find(str(save_patterns(tmp_path / "images", 1, 0)), None)
    assert found.is_files
    assert found.name == "images"
    assert found.header is None


@pytest.mark.parametrize("is_zip", [False, True])
def test_the_card_of_a_dataset_proves_its_maker(tmp_path: Path, is_zip: bool) -> None:
    made_by, folder = save_generator(tmp_path, "a" * 64), save_patterns(tmp_path / "images", 1, 0)
    save_card(folder, made_by)
    path = folder
    if is_zip:
        path = tmp_path / "images.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for file in folder.rglob("*.*"):
                archive.write(file, file.relative_to(folder))
    found = source.find(str(path), str(made_by))
    assert found.header is not None
    assert found.header.data.sha256 == "a" * 64
    other = save_generator(tmp_path, "b" * 64, "other")
    with pytest.raises(MetricsError, match="was made by a checkpoint with sha256"):
        source.find(str(path), str(other))


def test_images_without_a_card_have_no_proven_maker(tmp_path: Path) -> None:
    made_by, folder = save_generator(tmp_path, "a" * 64), save_patterns(tmp_path / "images", 1, 0)
    with pytest.raises(MetricsError, match=r"has no README.md that names its checkpoint"):
        source.find(str(folder), str(made_by))


def test_a_checkpoint_takes_no_maker_and_a_missing_file_is_named(tmp_path: Path) -> None:
    path = str(save_generator(tmp_path, "a" * 64))
    with pytest.raises(MetricsError, match="--made-by is for images"):
        source.find(path, path)
    with pytest.raises(ModelError, match="no checkpoint 'nowhere'"):
        source.find("nowhere", None)
