from pathlib import Path

import pytest

from tests.tiny import picture
from training.dataset import dataset_files
from training.dataset.dataset_files import Dataset
from training.dataset.image_source import items


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs write empty files for plots and contact sheets, which take longer than to train tiny networks."""
    monkeypatch.setattr("training.record.plot.draw", lambda *_: b"")
    monkeypatch.setattr("training.record.png_bytes.encode", lambda *_: b"")


@pytest.fixture
def class_folders(tmp_path: Path) -> Path:
    for number in range(24):
        folder = tmp_path / "pets" / ("cat" if number % 3 else "dog")
        folder.mkdir(parents=True, exist_ok=True)
        picture(number).save(folder / f"{number:02d}.png")
    return tmp_path / "pets"


@pytest.fixture
def data(class_folders: Path, tmp_path: Path) -> Path:
    dataset_files.build(items(class_folders), tmp_path / "dataset", 32, dataset_files.Credit("pets", "CC0"))
    return tmp_path / "dataset"


@pytest.fixture
def dataset(data: Path) -> Dataset:
    return dataset_files.load(data)


@pytest.fixture
def unlabelled(class_folders: Path, tmp_path: Path) -> Path:
    dataset_files.build(items(class_folders / "cat"), tmp_path / "unlabelled", 32, dataset_files.Credit("pets", "CC0"))
    return tmp_path / "unlabelled"


@pytest.fixture
def other_data(class_folders: Path, tmp_path: Path) -> Path:
    dataset_files.build(items(class_folders)[1:], tmp_path / "other", 32, dataset_files.Credit("pets", "CC0"))
    return tmp_path / "other"
