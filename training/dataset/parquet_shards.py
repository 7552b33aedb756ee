"""Reads the images of Parquet files with the columns of Hugging Face datasets: `image` and `label`."""

import io
import json
import zipfile
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.dataset.item import Item
from training.errors import DatasetError

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

_SUFFIX, _FEATURES = ".parquet", b"huggingface"


def shard_names(path: Path) -> list[str]:
    """Return the names of the Parquet files in a folder or a zip; empty if there are none."""
    if path.is_dir():
        return sorted(each.relative_to(path).as_posix() for each in path.rglob(f"*{_SUFFIX}") if each.is_file())
    if path.is_file() and path.suffix == _SUFFIX:
        return [path.name]
    if not path.is_file() or not zipfile.is_zipfile(path):
        return []
    with zipfile.ZipFile(path) as file:
        return sorted(name for name in file.namelist() if name.endswith(_SUFFIX))


def items(path: Path) -> list[Item]:
    """Return the images of all rows in order, with their labels. Raises DatasetError."""
    return [item for name in shard_names(path) for item in _items_of_shard(path, name)]


def _items_of_shard(path: Path, name: str) -> Iterator[Item]:
    file = _opened(path, name)
    columns = file.schema_arrow.names
    if "image" not in columns:
        raise DatasetError(f"{path}: {name} has no column 'image', but {', '.join(columns) or 'none'}")
    row = 0
    for group in range(file.num_row_groups):
        count = file.metadata.row_group(group).num_rows
        labels = _labels(file, group) if "label" in columns else [None] * count
        for place, label in enumerate(labels):
            yield Item(f"{name}/{row:06d}", label, partial(_image, path, name, group, place))
            row += 1


@lru_cache(maxsize=2)
def _opened(path: Path, name: str) -> "ParquetFile":
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise DatasetError(
            f"{path}: holds Parquet files, which need the package pyarrow; install it with: pip install pyarrow"
        ) from error
    try:
        if path.is_dir():
            return ParquetFile(path / name)
        if path.suffix == _SUFFIX:
            return ParquetFile(path)
        with zipfile.ZipFile(path) as file:
            return ParquetFile(io.BytesIO(file.read(name)))
    except (ArrowException, OSError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path}: {name} cannot be read as Parquet ({error})") from error


def _labels(file: "ParquetFile", group: int) -> list[str | None]:
    """Return the labels of a row group: class names if the file declares them, else the values as text."""
    values = file.read_row_group(group, ["label"]).column("label").to_pylist()
    names = _class_names(file.schema_arrow.metadata or {})
    return [_label(value, names) for value in values]


def _label(value: Any, names: list[str]) -> str | None:  # noqa: ANN401  # a value of any Parquet type
    if value is None or value == -1:
        return None
    return names[value] if isinstance(value, int) and value < len(names) else str(value)


def _class_names(metadata: dict[bytes, bytes]) -> list[str]:
    try:
        names = json.loads(metadata[_FEATURES])["info"]["features"]["label"]["names"]
    except (KeyError, TypeError, ValueError):
        return []
    return list(map(str, names))


@lru_cache(maxsize=1)
def _images(path: Path, name: str, group: int) -> list[bytes | None]:
    cells = _opened(path, name).read_row_group(group, ["image"]).column("image").to_pylist()
    return [cell.get("bytes") if isinstance(cell, dict) else cell for cell in cells]


def _image(path: Path, name: str, group: int, place: int) -> bytes:
    data = _images(path, name, group)[place]
    if not isinstance(data, bytes):
        raise DatasetError("the row has no bytes of an image")
    return data
