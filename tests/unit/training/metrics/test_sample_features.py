from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from models.image_hash import image_hashes
from tests.tiny import picture
from training.dataset.dataset_files import Dataset
from training.errors import MetricsError
from training.metrics import sample_features, sample_files
from training.metrics.features import Extractor
from training.metrics.sample_features import SampleFeatures


def extracted(path: Path, dataset: Dataset, extractor: Extractor, most: int = 100) -> SampleFeatures:
    heard: list[int] = []

    def progress_for(total: int) -> Callable[[int], None]:
        assert total == min(most, len(sample_files.find(path, ())))
        return heard.append

    found = sample_features.extract(path, dataset.description, extractor, most, progress_for)
    assert heard == list(range(1, len(found.items) + found.unusable + 1))
    return found


@pytest.mark.parametrize("chunk", [5, 256])
def test_every_row_belongs_to_one_image(
    class_folders: Path, dataset: Dataset, extractor: Extractor, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(sample_features, "_CHUNK", chunk)
    found = extracted(class_folders, dataset, extractor)
    pictures = torch.stack([found.picture(row) for row in range(24)])
    assert torch.equal(found.features, extractor(pictures))
    assert found.hashes.tolist() == image_hashes(np.ascontiguousarray(pictures.permute(0, 2, 3, 1).numpy())).tolist()
    assert [dataset.description.classes[label] for label in found.labels] == [item.label for item in found.items]
    assert found.sha256 == sample_files.read(class_folders, 32, (), 100).sha256


def test_the_first_rows_are_of_all_classes(class_folders: Path, dataset: Dataset, extractor: Extractor) -> None:
    found = extracted(class_folders, dataset, extractor)
    assert found.known_labels is not None
    assert set(found.known_labels[:12].tolist()) == {0, 1}


def test_images_of_other_sizes_repeated_and_broken_ones_are_counted(
    class_folders: Path, dataset: Dataset, extractor: Extractor
) -> None:
    assert extracted(class_folders, dataset, extractor).resized == 24
    folder = class_folders.parent / "sizes"
    (folder / "cat").mkdir(parents=True)
    for name, size in (("a", (32, 32)), ("b", (32, 32)), ("c", (32, 40)), ("d", (64, 64))):
        picture(1, size).save(folder / "cat" / f"{name}.png")
    (folder / "cat" / "e.png").write_text("text")
    found = extracted(folder, dataset, extractor)
    assert (found.resized, found.identical, found.unusable, found.found) == (2, 1, 1, 5)
    assert found.known_labels is not None
    picture(2).save(folder / "f.png")
    assert extracted(folder, dataset, extractor).known_labels is None


def test_without_a_usable_image_the_source_is_refused(tmp_path: Path, dataset: Dataset, extractor: Extractor) -> None:
    (tmp_path / "none").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "none" / name).write_text("text")
    with pytest.raises(MetricsError, match="none of its 2 images can be used"):
        extracted(tmp_path / "none", dataset, extractor)
