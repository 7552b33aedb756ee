import io
import json
import tarfile
from pathlib import Path

import pytest

from tests.tiny import picture
from tests.unit.training.dataset.test_square_image import encoded
from training.dataset import tar_samples
from training.errors import DatasetError

PICTURE = encoded(picture(1), "PNG")


def written(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as file:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return path


def test_samples_are_read_in_the_order_of_their_keys(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tar", {"2.png": PICTURE, "1.png": b"", "README.md": b"text", "._1.png": b"hidden"})
    found = tar_samples.items(path)
    assert [(item.name, item.label, item.read()) for item in found] == [("1.png", None, b""), ("2.png", None, PICTURE)]


def test_a_label_is_named_by_json_or_numbered_by_cls_or_it_is_the_folder(tmp_path: Path) -> None:
    members = {
        "a.png": PICTURE,
        "a.cls": b"0",
        "a.json": json.dumps({"label": "cat"}).encode(),
        "b.png": PICTURE,
        "b.cls": b"1\n",
        "b.json": b"[broken",
        "dog/c.png": PICTURE,
        "d.png": PICTURE,
        "d.cls": b"2",
        "d.json": b"{}",
    }
    found = tar_samples.items(written(tmp_path / "a.tar", members))
    assert [item.label for item in found] == ["cat", "1", "2", "dog"]


def test_a_tar_without_images_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.tar", {"a.txt": b"text"})
    with pytest.raises(DatasetError, match=r"a\.tar: no images found among the 1 files of the tar"):
        tar_samples.items(path)


@pytest.mark.parametrize("kept", [700, 1300, 3300])
def test_a_cut_tar_is_never_read_as_a_shorter_one(tmp_path: Path, kept: int) -> None:
    path = written(tmp_path / "a.tar", {f"{k}.png": PICTURE for k in range(4)})
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DatasetError, match="incomplete"):
        tar_samples.items(path)
