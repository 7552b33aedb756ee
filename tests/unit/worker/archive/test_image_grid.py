import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.unit.conftest import spec_of
from tests.unit.pictures import SIDE, colour, picture, with_pictures
from tests.unit.worker.archive.archives import archive_of
from worker.archive.image_grid import MAX_IMAGES, draw_grid
from worker.contracts.formats import Format
from worker.contracts.jobs import JobSpec
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import DamagedError

WHITE = 255
CLASSES = ("a", "b", "c")


def job(n: int, classes: tuple[str, ...] = (), side: int = SIDE, **changes: object) -> JobSpec:
    return with_pictures(spec_of(n, classes, shard_images=16), side).model_copy(update=changes)


def drawn(spec: JobSpec, folder: Path, read: Callable[[str, int, int], bytes] | None = None) -> NDArray[np.uint8]:
    archive_of(spec, folder, lambda index: picture(index, spec.format, spec.model.resolution))
    store = Store(str(folder))
    grid = draw_grid(spec, list(store.choices.chosen_shards(spec)), read or store.archives.read_range)
    return np.asarray(Image.open(io.BytesIO(grid)))


def indices_of(grid: NDArray[np.uint8]) -> list[list[int | None]]:
    """Return the index of the picture in each cell; None in an empty one."""
    corners = grid[SIDE // 2 :: SIDE, SIDE // 2 :: SIDE].astype(int)
    return [[None if (cell == WHITE).all() else int(cell[0] + 256 * cell[1]) for cell in row] for row in corners]


def test_each_class_has_rows_of_its_first_images(tmp_path: Path) -> None:
    assert indices_of(drawn(job(300, CLASSES), tmp_path)) == [[label + 3 * k for k in range(8)] for label in range(3)]


def test_small_classes_share_a_row(tmp_path: Path) -> None:
    assert indices_of(drawn(job(48, ("a", "b")), tmp_path)) == [[0, 2, 1, 3]]


def test_a_small_dataset_shows_one_image_of_each_class(tmp_path: Path) -> None:
    assert indices_of(drawn(job(20, CLASSES), tmp_path)) == [[0, 1, 2]]


def test_a_rare_class_leaves_cells_empty(tmp_path: Path) -> None:
    found = indices_of(drawn(job(300, CLASSES, shares=(30, 0, 1)), tmp_path))
    assert found == [[0, 1, 2, 3, 4, 5, 6, 7], [15, 46, 77, *[None] * 5]]


def test_the_grid_of_a_model_without_classes_is_limited(tmp_path: Path) -> None:
    assert indices_of(drawn(job(500), tmp_path)) == np.arange(MAX_IMAGES).reshape(-1, 8).tolist()


def test_a_single_image_is_the_grid(tmp_path: Path) -> None:
    assert indices_of(drawn(job(1, first=7), tmp_path)) == [[7]]


@pytest.mark.parametrize(("kind", "error"), [("png", 0), ("npz", 0), ("webp", 0), ("jpeg", 4)])
def test_all_formats_are_drawn(tmp_path: Path, kind: Format, error: int) -> None:
    grid = drawn(job(300, format=kind), tmp_path).astype(int)
    assert grid.shape == (3 * SIDE, 8 * SIDE, 3)
    assert np.abs(grid[SIDE // 2, SIDE * 3 + 4] - colour(3)).max() <= error


def test_large_images_are_reduced(tmp_path: Path) -> None:
    assert drawn(job(24, side=200), tmp_path).shape == (64, 128, 3)


def test_each_object_is_read_once(tmp_path: Path) -> None:
    reads = list[str]()

    def read(path: str, start: int, length: int) -> bytes:
        reads.append(path)
        return Store(str(tmp_path)).archives.read_range(path, start, length)

    drawn(job(500, CLASSES), tmp_path, read)
    assert len(reads) == len(set(reads)) == 2  # 24 images lie in two shards of 16


def test_a_damaged_image_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DamagedError, match="wrong checksum"):
        drawn(job(20), tmp_path, lambda _path, _start, length: bytes(length))
