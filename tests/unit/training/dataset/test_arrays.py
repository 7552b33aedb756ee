import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from training.dataset import dataset_builder, dataset_files, image_source
from training.errors import DatasetError

PIXELS = np.random.default_rng(1).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)


def npz(path: Path, members: Mapping[str, bytes | np.ndarray]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, value in members.items():
            if isinstance(value, np.ndarray):
                data = io.BytesIO()
                np.save(data, value)
                value = data.getvalue()
            file.writestr(name, value)
    return path


def lines(*labels: str | None) -> bytes:
    found = ({"file_name": "images_00000.npy"} | ({"label": label} if label else {}) for label in labels)
    return "".join(f"{json.dumps(line)}\n" for line in found).encode()


def test_the_npz_of_a_service_becomes_a_dataset_of_the_same_pixels(tmp_path: Path) -> None:
    arrays = {"images_00000.npy": PIXELS[:3], "images_00001.npy": PIXELS[3:]}
    path = npz(tmp_path / "faces.npz", {**arrays, "metadata.jsonl": lines("b", "a", "b", "a", "b")})
    found = image_source.find_images(path, image_source.SourceOptions())
    assert found.labelled_by == "by its own labels"
    dataset_builder.build(found.items, tmp_path / "out", 32, dataset_builder.Credit("faces", "CC0"))
    made = dataset_files.load(tmp_path / "out")
    assert made.description.classes == ("a", "b")
    assert made.labels.tolist() == [1, 0, 1, 0, 1]
    assert np.array_equal(made.images.numpy().transpose(0, 2, 3, 1), PIXELS)


def test_an_npz_without_metadata_has_the_numbers_of_its_labels(tmp_path: Path) -> None:
    members = {"images_00000.npy": PIXELS, "labels.npy": np.array([2, 10, -1, 2, 10])}
    found = image_source.items(npz(tmp_path / "faces.npz", members))
    assert [item.label for item in found] == ["2", "10", None, "2", "10"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"images_0.npy": PIXELS.astype(np.float32), "labels.npy": np.zeros(5)}, "holds float32 of shape"),
        ({"images_0.npy": PIXELS, "labels.npy": np.zeros(4, dtype=np.int64)}, "holds 5 images and 4 labels"),
        ({"images_0.npy": b"no array", "labels.npy": np.zeros(5)}, "cannot be read as arrays of images"),
        ({"images_0.npy": PIXELS}, "cannot be read as arrays of images"),
    ],
)
def test_an_npz_that_cannot_be_used_is_refused(
    tmp_path: Path, members: dict[str, bytes | np.ndarray], message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        image_source.items(npz(tmp_path / "faces.npz", members))


def test_options_that_an_npz_has_no_use_for_are_refused(tmp_path: Path) -> None:
    path = npz(tmp_path / "faces.npz", {"images_0.npy": PIXELS, "metadata.jsonl": lines(*[None] * 5)})
    with pytest.raises(DatasetError, match="an npz has its own labels"):
        image_source.find_images(path, image_source.SourceOptions(split="train"))
