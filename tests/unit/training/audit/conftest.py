"""A dataset, an archive of images that a tiny model made under its labels, and quick features."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from models import checkpoint
from tests.tiny import save_checkpoint
from tests.unit.training.metrics.conftest import extractor as extractor
from tests.unit.training.metrics.conftest import tiles as tiles
from training import samples
from training.audit import audit
from training.audit.audit import Audit
from training.dataset.dataset_files import Dataset
from training.metrics import features, reference
from training.metrics.features import Extractor
from training.record import png_bytes

N, SEED = 24, 3
CPU = torch.device("cpu")

Measure = Callable[..., Audit]


@pytest.fixture(autouse=True)
def _quick(extractor: Extractor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "load", lambda *_: extractor)


@pytest.fixture
def archive(dataset: Dataset, extractor: Extractor, tmp_path: Path) -> Path:
    """The ZIP of images 0 to 23, with the labels that an evaluation of the checkpoint gives them."""
    save_checkpoint(tmp_path, "tiny", ("cat", "dog"))
    header, generator = checkpoint.load_generator(tmp_path / "tiny.safetensors")
    labels = reference.load_or_extract(dataset, extractor, tmp_path / "dataset").labels_in_proportion(N)
    network = generator.to(memory_format=torch.channels_last)
    images = samples.render(network, header.latent_dim, SEED, range(N), labels)
    rows = []
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as file:
        for index, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
            name = f"images/{header.classes[label]}/{index:06d}.png"
            file.writestr(name, png_bytes.encode(Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())))
            rows.append(json.dumps({"file_name": name, "label": header.classes[label]}))
        file.writestr("metadata.jsonl", "\n".join(rows))
        file.writestr("grid.png", png_bytes.encode(Image.new("RGB", (64, 64))))
    return tmp_path / "pets.zip"


@pytest.fixture
def measure(data: Path) -> Measure:
    def run(path: Path, most: int | None = None, folder: Path = data) -> Audit:
        return audit.run(path, folder, most, CPU, None, lambda _name, _total: lambda _done: None)

    return run
