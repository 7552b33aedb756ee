from pathlib import Path

import pytest

from tests.tiny import picture
from training.dataset import store
from training.dataset.source import items
from training.dataset.store import Dataset


@pytest.fixture
def class_folders(tmp_path: Path) -> Path:
    for number in range(24):
        folder = tmp_path / "pets" / ("cat" if number % 3 else "dog")
        folder.mkdir(parents=True, exist_ok=True)
        picture(number).save(folder / f"{number:02d}.png")
    return tmp_path / "pets"


@pytest.fixture
def data(class_folders: Path, tmp_path: Path) -> Path:
    store.build(items(class_folders), tmp_path / "dataset", 32, store.Credit("pets", "CC0"))
    return tmp_path / "dataset"


@pytest.fixture
def dataset(data: Path) -> Dataset:
    return store.load(data)


@pytest.fixture
def unlabelled(class_folders: Path, tmp_path: Path) -> Path:
    store.build(items(class_folders / "cat"), tmp_path / "unlabelled", 32, store.Credit("pets", "CC0"))
    return tmp_path / "unlabelled"


@pytest.fixture
def other_data(class_folders: Path, tmp_path: Path) -> Path:
    store.build(items(class_folders)[1:], tmp_path / "other", 32, store.Credit("pets", "CC0"))
    return tmp_path / "other"
