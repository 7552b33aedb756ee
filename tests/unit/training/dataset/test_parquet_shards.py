import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.tiny import picture
from tests.unit.training.dataset.test_square_image import encoded
from training.dataset import parquet_shards
from training.errors import DatasetError

pyarrow: Any = pytest.importorskip("pyarrow")
parquet: Any = pytest.importorskip("pyarrow.parquet")

PICTURES = [encoded(picture(k), "PNG") for k in range(5)]
FEATURES = {"info": {"features": {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": ["b", "a"]}}}}


def shard(path: Path, pictures: list[bytes | None], labels: list[Any] | None, features: Any = FEATURES) -> Path:
    columns: dict[str, Any] = {"image": [{"bytes": data, "path": None} for data in pictures]}
    if labels is not None:
        columns["label"] = labels
    table = pyarrow.table(columns).replace_schema_metadata({"huggingface": json.dumps(features)})
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path, row_group_size=2)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shard(tmp_path / "out" / "data" / "00000.parquet", [*PICTURES[:3]], [1, 0, -1])
    shard(tmp_path / "out" / "data" / "00001.parquet", [*PICTURES[3:]], [1, None])
    (tmp_path / "out" / "README.md").write_text("card")
    return tmp_path / "out"


def test_a_folder_and_a_zip_of_shards_are_read_in_order_with_the_names_of_the_classes(folder: Path) -> None:
    with zipfile.ZipFile(folder.parent / "out.zip", "w") as archive:
        for path in sorted(folder.rglob("*.*")):
            archive.write(path, path.relative_to(folder))
    for source in (folder, folder.parent / "out.zip"):
        found = parquet_shards.items(source)
        assert [item.read() for item in found] == PICTURES
        assert [item.label for item in found] == ["a", "b", None, "a", None]
        assert found[3].name == "data/00001.parquet/000000"


def test_one_file_is_a_source_too(folder: Path) -> None:
    path = folder / "data" / "00001.parquet"
    assert parquet_shards.shard_names(path) == ["00001.parquet"]
    assert [item.read() for item in parquet_shards.items(path)] == PICTURES[3:]


@pytest.mark.parametrize(("labels", "expected"), [(["x", "y"], ["x", "y"]), ([0, 7], ["0", "7"]), (None, [None] * 2)])
def test_labels_without_declared_names_are_text(tmp_path: Path, labels: Any, expected: Any) -> None:
    path = shard(tmp_path / "a.parquet", [*PICTURES[:2]], labels, features={})
    assert [item.label for item in parquet_shards.items(path)] == expected


def test_a_row_without_bytes_is_unusable_alone(tmp_path: Path) -> None:
    first, second = parquet_shards.items(shard(tmp_path / "a.parquet", [None, PICTURES[0]], None))
    with pytest.raises(DatasetError, match="the row has no bytes of an image"):
        first.read()
    assert second.read() == PICTURES[0]


def test_files_that_hold_no_images_are_refused(folder: Path) -> None:
    whole = (folder / "data" / "00001.parquet").read_bytes()
    (folder / "data" / "00001.parquet").write_bytes(whole[:-20])
    with pytest.raises(DatasetError, match=r"data/00001\.parquet cannot be read as Parquet"):
        parquet_shards.items(folder)
    parquet.write_table(pyarrow.table({"text": ["a"]}), folder / "other.parquet")
    with pytest.raises(DatasetError, match=r"other\.parquet has no column 'image', but text"):
        parquet_shards.items(folder / "other.parquet")


def test_the_missing_package_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet_shards._opened.cache_clear()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DatasetError, match="need the package pyarrow; install it with: pip install pyarrow"):
        parquet_shards.items(folder)
