"""Archives of every layout, as a worker writes them, are read with the same pixels and labels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.tiny import CLASSES, picture
from tests.unit.conftest import MakeSpec
from tests.unit.training.dataset.test_square_image import encoded
from tests.unit.worker.archive.archives import archive_of
from training.metrics import sample_files

COUNT, SIDE = 9, 64
LAYOUTS: dict[str, dict[str, Any]] = {
    "imagefolder": {},
    "imagefolder-webp": {"format": "webp"},
    "arrays": {"format": "npz"},
    "parquet": {"packing": "parquet"},
    "webdataset": {"packing": "webdataset"},
}


def pixels(index: int) -> NDArray[np.uint8]:
    return np.asarray(picture(index, (SIDE, SIDE)))


def data(index: int, form: str) -> bytes:
    if form == "npz":
        return pixels(index).tobytes()
    return encoded(picture(index, (SIDE, SIDE)), form, **({"lossless": True} if form == "webp" else {}))


@pytest.mark.parametrize(
    ("layout", "version"), [("imagefolder", 3), ("arrays", 3), *((layout, 4) for layout in LAYOUTS)]
)
def test_an_archive_is_read_with_its_pixels_and_labels(
    make_spec: MakeSpec, tmp_path: Path, layout: str, version: int
) -> None:
    values = LAYOUTS[layout]
    spec = make_spec(n=COUNT, classes=CLASSES).model_copy(update={"archive_version": version, **values})
    archive = tmp_path / "out"
    archive.write_bytes(archive_of(spec, tmp_path / "store", lambda index: data(index, spec.format)))
    found = sample_files.find(archive, CLASSES)
    read = {position: image.pixels for position, image in sample_files.decoded(found, SIDE)}
    assert len(found) == len(read) == COUNT
    labels = spec.class_names(range(COUNT))
    shown = {pixels(index).tobytes(): (index, labels[index]) for index in range(COUNT)}
    got = [shown[read[position].transpose(1, 2, 0).tobytes()] for position in range(COUNT)]
    assert [label for _, label in got] == [item.label for item in found]
    assert {index for index, _ in got} == set(range(COUNT))
