from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from models import safetensors_file
from tests.unit.training.metrics.conftest import Tiles
from training.dataset.dataset_files import Dataset
from training.metrics import reference
from training.metrics.features import Extractor

FILE = "features-tiles.safetensors"


def test_every_image_is_there_beside_its_label(dataset: Dataset, extractor: Extractor, tmp_path: Path) -> None:
    made = reference.load_or_extract(dataset, extractor, tmp_path)
    rows = {
        tuple(row.tolist()): int(label) for row, label in zip(extractor(dataset.images), dataset.labels, strict=True)
    }
    found = {tuple(row.tolist()): int(label) for row, label in zip(made.features, made.labels, strict=True)}
    assert found == rows
    assert (made.source.extractor, made.source.resize) == ("tiles", "area-4")
    assert (made.source.dataset, made.source.dataset_sha256) == ("pets", dataset.description.sha256)


def test_the_order_is_mixed_and_always_the_same(dataset: Dataset, extractor: Extractor, tmp_path: Path) -> None:
    first, second = (reference.load_or_extract(dataset, extractor, tmp_path / name) for name in ("a", "b"))
    assert torch.equal(first.features, second.features)
    assert not torch.equal(first.features, extractor(dataset.images))
    assert set(first.labels[:12].tolist()) == {0, 1}  # the dataset itself begins with 16 cats


def test_features_are_extracted_once(dataset: Dataset, extractor: Extractor, tiles: Tiles, tmp_path: Path) -> None:
    heard: list[int] = []
    made = reference.load_or_extract(dataset, extractor, tmp_path, heard.append)
    assert tiles.seen == 24
    again = reference.load_or_extract(dataset, extractor, tmp_path, heard.append)
    assert tiles.seen == 24
    assert torch.equal(again.features, made.features)
    assert torch.equal(again.labels, made.labels)
    assert heard == [4, 8, 12, 16, 20, 24, 24, 24]


@pytest.mark.parametrize(
    "changes",
    [{"dataset_sha256": "0" * 64}, {"extractor": "other"}, {"resize": "nearest-4"}],
    ids=["dataset", "extractor", "filter"],
)
def test_features_of_something_else_are_not_used(
    changes: dict[str, str], dataset: Dataset, extractor: Extractor, tiles: Tiles, tmp_path: Path
) -> None:
    made = reference.load_or_extract(dataset, extractor, tmp_path)
    other = made.source.model_copy(update=changes)
    safetensors_file.write(tmp_path / FILE, "imagemill.features", other, {"features": torch.zeros(24, 48)})
    assert torch.equal(reference.load_or_extract(dataset, extractor, tmp_path).features, made.features)
    assert tiles.seen == 48


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-8]),
        lambda path: path.write_bytes(b""),
        lambda path: save_file(load_file(path), path),
    ],
    ids=["cut short", "empty", "without a header"],
)
def test_a_damaged_file_is_made_anew(
    damage: object, dataset: Dataset, extractor: Extractor, tiles: Tiles, tmp_path: Path
) -> None:
    made = reference.load_or_extract(dataset, extractor, tmp_path)
    assert callable(damage)
    damage(tmp_path / FILE)
    assert torch.equal(reference.load_or_extract(dataset, extractor, tmp_path).features, made.features)
    assert tiles.seen == 48
    reference.load_or_extract(dataset, extractor, tmp_path)
    assert tiles.seen == 48


@pytest.mark.parametrize(
    "tensors",
    [
        {"features": torch.zeros(23, 48)},
        {"features": torch.zeros(24)},
        {"features": torch.full((24, 48), torch.nan)},
        {"features": torch.zeros(24, 48, dtype=torch.float16)},
        {"other": torch.zeros(24, 48)},
    ],
    ids=["too few", "no rows", "no numbers", "half precision", "no features"],
)
def test_tensors_that_cannot_be_features_are_not_used(
    tensors: dict[str, torch.Tensor], dataset: Dataset, extractor: Extractor, tiles: Tiles, tmp_path: Path
) -> None:
    made = reference.load_or_extract(dataset, extractor, tmp_path)
    safetensors_file.write(tmp_path / FILE, "imagemill.features", made.source, tensors)
    assert torch.equal(reference.load_or_extract(dataset, extractor, tmp_path).features, made.features)
    assert tiles.seen == 48


def test_a_folder_that_cannot_be_written_to_is_no_obstacle(
    dataset: Dataset, extractor: Extractor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    made = reference.load_or_extract(dataset, extractor, tmp_path / "file")
    assert len(made.features) == 24
    assert "features were not kept" in caplog.text


def test_halves_share_nothing(dataset: Dataset, extractor: Extractor, tmp_path: Path) -> None:
    made = reference.load_or_extract(dataset, extractor, tmp_path)
    first, second = made.halves()
    assert torch.equal(torch.cat([first.features, second.features]), made.features)
    assert torch.equal(torch.cat([first.labels, second.labels]), made.labels)
    assert len(first.features) == len(second.features) == 12


def test_labels_are_asked_for_in_the_proportions_of_the_data(
    dataset: Dataset, extractor: Extractor, tmp_path: Path
) -> None:
    made = reference.load_or_extract(dataset, extractor, tmp_path)
    assert made.labels_in_proportion(48).bincount().tolist() == [32, 16]
    assert torch.equal(made.labels_in_proportion(10), made.labels[:10])
