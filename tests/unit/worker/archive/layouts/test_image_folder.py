import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.unit.conftest import MakeSpec
from tests.unit.worker.archive.archives import archive_of, text
from worker.archive.dataset_card import build_card
from worker.archive.layouts.image_folder import image_names
from worker.contracts.jobs import JobSpec

SIDE = 64


def pixels(index: int) -> bytes:
    return bytes([index] * SIDE * SIDE * 3)


def opened(spec: JobSpec, folder: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(archive_of(spec, folder, pixels if spec.format == "npz" else text)))


def test_shards_and_tail_form_one_archive(make_spec: MakeSpec, tmp_path: Path) -> None:
    spec = make_spec(n=10, classes=("a", "b"))
    with opened(spec, tmp_path) as file:
        assert file.testzip() is None
        assert file.read("images/b/000009.png") == b"picture 9"
        records = [json.loads(line) for line in file.read("metadata.jsonl").splitlines()]
    assert records[9] == {
        "file_name": "images/b/000009.png",
        "index": 9,
        "seed": 7,
        "label": "b",
        "model": "faces",
        "sha256": f"{9:064x}",
    }


GOLDEN = {
    # (format, classes, class asked for): the start of the sha256 of ten images' archive in layouts 1, 2 and 3
    ("png", (), None): ("39811ee00b44dc20", "39811ee00b44dc20", "aa500aa3c55293ec"),
    ("png", ("a", "b/ö"), None): ("ee1598933a654ec0", "d2e28ca080350d67", "e169361bc2ee3dd8"),
    ("png", ("a", "b/ö"), "b/ö"): ("4bdc44001b514edf", "548dfbabce3ee781", "56eabc7a42289c08"),
    ("webp", (), None): ("4cfb229ccaa51016", "4cfb229ccaa51016", "1f6fa6bb61601c54"),
    ("webp", ("a", "b/ö"), "b/ö"): ("00a26b0cde1360dc", "b9cd0964e0da3fad", "74bb4040c89cd8cf"),
    ("jpeg", ("a", "b/ö"), None): ("0baf06d5a46ab7a0", "b9bde52830a31435", "86ec22fe6ff6e272"),
    ("npz", (), None): ("50fee1b60802e3cc", "50fee1b60802e3cc", "813a34ae8c8b1eba"),
    ("npz", ("a", "b/ö"), None): ("ef024f09ba42db57", "0b203820234e2c62", "e6afa350824b03b3"),
    ("npz", ("a", "b/ö"), "b/ö"): ("a6d454b56562e19a", "e39821c81709c94e", "0a25622d1be3ef36"),
}


@pytest.mark.parametrize(("kind", "classes", "label"), GOLDEN)
def test_an_archive_of_each_layout_keeps_its_bytes(
    make_spec: MakeSpec, tmp_path: Path, kind: str, classes: tuple[str, ...], label: str | None
) -> None:
    found = []
    for layout in (1, 2, 3):
        spec = make_spec(n=10, classes=classes, class_label=label)
        spec = spec.model_copy(update={"format": kind, "archive_version": layout})
        archive = archive_of(spec, tmp_path / f"{layout}", pixels if kind == "npz" else text)
        found.append(hashlib.sha256(archive).hexdigest()[:16])
    assert tuple(found) == GOLDEN[kind, classes, label]


def test_a_job_that_was_written_down_without_a_layout_has_the_first(make_spec: MakeSpec) -> None:
    written = make_spec().model_dump(mode="json", exclude={"archive_version"})
    assert JobSpec.model_validate(written).archive_version == 1


@pytest.mark.parametrize("label", [None, "b/ö", "c"])
def test_a_class_has_the_number_that_it_has_in_the_model(
    make_spec: MakeSpec, tmp_path: Path, label: str | None
) -> None:
    spec = make_spec(n=6, classes=("a", "b/ö", "c"), class_label=label).model_copy(update={"archive_version": 2})
    with opened(spec, tmp_path) as file:
        records = [json.loads(line) for line in file.read("metadata.jsonl").splitlines()]
        (_, head, text) = file.read("README.md").decode().split("---\n", 2)
    names = yaml.safe_load(head)["class_names"]
    assert names == ["a", "b/ö", "c"]
    assert [record["label_id"] for record in records] == spec.labels(range(6))
    assert [names[record["label_id"]] for record in records] == [record["label"] for record in records]
    assert f"ClassLabel(names={json.dumps(names, ensure_ascii=False)})" in text
    assert "b/ö (1)" in text or label == "c"


def test_unconditional_images_lie_in_one_folder_and_have_no_label(make_spec: MakeSpec, tmp_path: Path) -> None:
    spec = make_spec(n=1)
    with opened(spec, tmp_path) as file:
        assert file.namelist() == ["images/000000.png", "metadata.jsonl", "README.md"]
        assert "label" not in json.loads(file.read("metadata.jsonl"))


@pytest.mark.parametrize(("kind", "suffix"), [("png", "png"), ("webp", "webp"), ("jpeg", "jpg")])
def test_a_file_bears_the_suffix_of_its_format(make_spec: MakeSpec, kind: str, suffix: str) -> None:
    spec = make_spec().model_copy(update={"format": kind})
    assert image_names(spec, [3]) == [f"images/000003.{suffix}"]


def test_a_class_name_cannot_leave_its_folder(make_spec: MakeSpec) -> None:
    assert image_names(make_spec(classes=("../../etc",)), [3]) == ["images/%2E.%2F..%2Fetc/000003.png"]
    assert image_names(make_spec(classes=("Müller & Söhne",)), [3]) == ["images/Müller %26 Söhne/000003.png"]


def test_the_card_names_what_fixes_the_images(make_spec: MakeSpec) -> None:
    text = build_card(make_spec(n=10, classes=("a", "b"), class_label="b"), [])
    for fact in ("`faces`", "0" * 64, "| seed | 7 |", "0 to 9, 64 x 64 px", "cpu-float32", "only b", "CC0-1.0"):
        assert fact in text
    assert "later begins with these" in text
