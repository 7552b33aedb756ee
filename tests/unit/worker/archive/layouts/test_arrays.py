import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.unit.conftest import MakeSpec
from tests.unit.worker.archive.archives import archive_of

SIDE = 64


@pytest.mark.parametrize("classes", [(), ("a", "b")])
def test_an_archive_of_arrays_is_read_by_numpy(make_spec: MakeSpec, tmp_path: Path, classes: tuple[str, ...]) -> None:
    spec = make_spec(n=10, classes=classes).model_copy(update={"format": "npz", "first": 5})
    whole = io.BytesIO(archive_of(spec, tmp_path, lambda index: bytes([index] * SIDE * SIDE * 3)))
    with zipfile.ZipFile(whole) as archive:
        assert archive.testzip() is None
    whole.seek(0)
    with np.load(whole) as file:
        arrays = [file[name] for name in sorted(file.files) if name.startswith("images_")]
        images = np.concatenate(arrays)
        assert images.shape == (10, SIDE, SIDE, 3)
        assert images.dtype == np.uint8
        assert images[:, 0, 0, 0].tolist() == list(range(5, 15))
        assert file["labels"].tolist() == ([i % 2 for i in range(5, 15)] if classes else [-1] * 10)
