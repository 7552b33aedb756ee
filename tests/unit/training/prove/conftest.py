"""Images whose classes are known: a faint pattern of tiles under strong noise, so that few images teach little."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from models import checkpoint
from tests.tiny import save_checkpoint
from training.dataset import dataset_builder, dataset_files
from training.dataset.dataset_files import Dataset
from training.dataset.image_source import items
from training.metrics.features import Extractor

NAMES = ("ant", "bee", "cat")
_SIGNAL, _NOISE = 12.0, 40.0
_TILES, _SIDE = 4, 32


def pattern(label: int, seed: int) -> NDArray[np.uint8]:
    """Draw an image of a class. Shapes: returns (32, 32, 3)."""
    of_class = np.random.default_rng(label).choice((-_SIGNAL, _SIGNAL), (_TILES, _TILES, 3))
    noise = np.random.default_rng((seed, label)).normal(0, _NOISE, (_TILES, _TILES, 3))
    tiles = np.clip(128 + of_class + noise, 0, 255).astype(np.uint8)
    return tiles.repeat(_SIDE // _TILES, 0).repeat(_SIDE // _TILES, 1)


def save_patterns(folder: Path, per_class: int, first_seed: int, turn: int = 0) -> Path:
    """Save images in class folders. With a `turn`, each class is stored under the name of another."""
    for label in range(len(NAMES)):
        place = folder / NAMES[(label + turn) % len(NAMES)]
        place.mkdir(parents=True, exist_ok=True)
        for seed in range(first_seed, first_seed + per_class):
            Image.fromarray(pattern(label, seed)).save(place / f"{seed}.png")
    return folder


def average_tiles(images: Tensor) -> Tensor:
    return adaptive_avg_pool2d(images.float(), _TILES).flatten(1)


@pytest.fixture
def tile_extractor() -> Extractor:
    return Extractor("tiles", "area-4", average_tiles, torch.device("cpu"))


@pytest.fixture(scope="session")
def patterns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with a held-out part."""
    folder = tmp_path_factory.mktemp("patterns")
    found = items(save_patterns(folder / "in", 160, first_seed=0))
    dataset_builder.build(found, folder / "data", 32, dataset_builder.Credit("patterns", "CC0"), held_out_share=0.7)
    return folder / "data"


@pytest.fixture(scope="session")
def known(patterns: Path) -> Dataset:
    return dataset_files.load(patterns)


def save_generator(folder: Path, data_sha256: str, name: str = "tiny", classes: tuple[str, ...] = NAMES) -> Path:
    """Save a checkpoint of noise that says which images it was trained on."""
    save_checkpoint(folder, name, classes)
    path = folder / f"{name}.safetensors"
    header, generator = checkpoint.load_generator(path)
    credit = header.data.model_copy(update={"sha256": data_sha256})
    checkpoint.save(path, header.model_copy(update={"data": credit}), generator)
    return path


def save_card(folder: Path, made_by: Path) -> None:
    """Save a dataset card that names a checkpoint, as a service does."""
    digest = hashlib.sha256(made_by.read_bytes()).hexdigest()
    (folder / "README.md").write_text(f"| model sha256 | `{digest}` |\n", encoding="utf-8")
