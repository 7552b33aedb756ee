import io
import json
import zipfile
import zlib

from tests.unit.conftest import MakeSpec
from worker import archive
from worker.contracts.artifacts import ImageEntry, ShardIndex
from worker.contracts.jobs import JobSpec
from worker.tail import build_tail, card, image_name


def shards_of(spec: JobSpec) -> tuple[bytes, list[ShardIndex]]:
    slices, shards = [], []
    for shard in range(spec.shard_count):
        data, images = b"", []
        for index in spec.shard_indices(shard):
            picture, label = f"picture {index}".encode(), spec.class_name(index)
            name = image_name(index, label)
            member = archive.stored_file(name, picture)
            offset = len(data) + len(member) - len(picture)
            crc32, size = zlib.crc32(picture), len(picture)
            images.append(
                ImageEntry(
                    index=index, name=name, label=label, offset=offset, size=size, crc32=crc32, sha256=f"{index:064x}"
                )
            )
            data += member
        slices.append(data)
        shards.append(ShardIndex(data=f"{shard}", size=len(data), images=tuple(images)))
    return b"".join(slices), shards


def test_slices_and_tail_are_one_archive(make_spec: MakeSpec) -> None:
    spec = make_spec(n=10, classes=("a", "b"))
    slices, shards = shards_of(spec)
    with zipfile.ZipFile(io.BytesIO(slices + build_tail(spec, shards))) as file:
        assert file.testzip() is None
        assert file.read("images/b/000009.png") == b"picture 9"
        records = [json.loads(line) for line in file.read("metadata.jsonl").splitlines()]
        assert file.read("README.md").decode() == card(spec)
    assert records[9] == {
        "file_name": "images/b/000009.png",
        "index": 9,
        "seed": 7,
        "label": "b",
        "model": "faces",
        "sha256": f"{9:064x}",
    }


def test_unconditional_images_lie_in_one_folder_and_have_no_label(make_spec: MakeSpec) -> None:
    spec = make_spec(n=1)
    slices, shards = shards_of(spec)
    with zipfile.ZipFile(io.BytesIO(slices + build_tail(spec, shards))) as file:
        assert file.namelist() == ["images/000000.png", "metadata.jsonl", "README.md"]
        assert "label" not in json.loads(file.read("metadata.jsonl"))


def test_a_class_name_cannot_leave_its_folder() -> None:
    assert image_name(3, "../../etc") == "images/%2E.%2F..%2Fetc/000003.png"
    assert image_name(3, "Müller & Söhne") == "images/Müller %26 Söhne/000003.png"


def test_the_card_names_what_fixes_the_images(make_spec: MakeSpec) -> None:
    text = card(make_spec(n=10, classes=("a", "b"), class_label="b"))
    for fact in ("`faces`", "0" * 64, "| seed | 7 |", "10, 64 x 64 px", "only b", "CC0-1.0"):
        assert fact in text
