"""The code in a dataset card loads the dataset, with the class numbers of the model."""

import hashlib
import io
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.readers import run_example, unpack
from tests.tiny import picture
from tests.unit.conftest import spec_of
from tests.unit.worker.archive.archives import archive_of
from worker.archive.reading_examples import reading_example
from worker.contracts.formats import ARCHIVE_VERSION, SUFFIXES, Format, Packing
from worker.contracts.jobs import JobSpec
from worker.contracts.selection import Selection
from worker.contracts.styles import StyleSpec

CLASSES = ("zebra", "ant", "two words/ö")
"""Their numbers are not those of the alphabetical order."""
N = 10
PIXELS = "hashlib.sha256(i['image'].convert('RGB').tobytes()).hexdigest()"
IMAGES = f"[[i['index'], i.get('label'), {PIXELS}] for i in images]"


def encoded(index: int, kind: Format) -> bytes:
    file = io.BytesIO()
    picture(index, (64, 64)).save(file, kind.upper(), **({"lossless": True} if kind == "webp" else {}))
    return file.getvalue()


def pixels_sha256(index: int, kind: Format) -> str:
    from PIL import Image

    return hashlib.sha256(Image.open(io.BytesIO(encoded(index, kind))).convert("RGB").tobytes()).hexdigest()


def job(packing: Packing, classes: tuple[str, ...] = CLASSES, kind: Format = "png", **changes: object) -> JobSpec:
    changes |= {"archive_version": ARCHIVE_VERSION, "packing": packing, "format": kind, "first": 3}
    return spec_of(N, classes).model_copy(update=changes)


def saved(spec: JobSpec, folder: Path) -> Path:
    suffix = "tar" if spec.packing == "webdataset" else "zip"
    path = folder / f"dataset.{suffix}"
    path.write_bytes(archive_of(spec, folder / "store", partial(encoded, kind=spec.format)))
    return path


def expected(spec: JobSpec) -> list[list[Any]]:
    indices = range(spec.first, spec.first + N)
    labels: list[int] | list[None] = spec.labels(indices) or [None] * N
    return [[index, label, pixels_sha256(index, spec.format)] for index, label in zip(indices, labels, strict=True)]


CASES = [("imagefolder", "png"), ("imagefolder", "jpeg"), ("parquet", "png"), ("parquet", "webp"), ("parquet", "jpeg")]


@pytest.mark.parametrize("classes", [CLASSES, ()])
@pytest.mark.parametrize(("packing", "kind"), CASES)
def test_the_unpacked_folder_loads_with_its_types(
    tmp_path: Path, packing: Packing, kind: Format, classes: tuple[str, ...]
) -> None:
    spec = job(packing, classes, kind, selection=Selection(gate="9" * 64, keep=1000))
    archive = saved(spec, tmp_path)
    folder = unpack(archive)
    assert reading_example(spec) in (folder / "README.md").read_text()
    load = "\n".join(reading_example(spec).splitlines()[:3])
    result = f"[{IMAGES}, images.features.to_dict()]"
    found, features = run_example(f"import hashlib\n{load}", archive, result)
    assert found == expected(spec)
    assert features["image"]["_type"] == "Image"
    assert features.get("label") == ({"names": list(CLASSES), "_type": "ClassLabel"} if classes else None)
    assert features["index"] == features["seed"] == features["score"] == {"dtype": "int64", "_type": "Value"}


@pytest.mark.parametrize("classes", [CLASSES, ()])
def test_the_zip_of_an_image_folder_loads_as_it_is(tmp_path: Path, classes: tuple[str, ...]) -> None:
    spec = job("imagefolder", classes)
    archive = saved(spec, tmp_path)
    unpack(archive)
    load = reading_example(spec).split("\n\n# torchvision")[0]
    assert run_example(f"import hashlib\n{load}", archive, IMAGES) == expected(spec)


def test_torchvision_reads_an_image_folder(tmp_path: Path) -> None:
    spec = job("imagefolder")
    archive = saved(spec, tmp_path)
    unpack(archive)
    code = "from torchvision" + reading_example(spec).split("from torchvision", 1)[1]
    names, numbers = run_example(code, archive, "[pictures.classes, pictures.targets]")
    assert names == ["ant", "two words%2Fö", "zebra"]
    assert len(numbers) == N


def test_pandas_reads_the_files_of_images(tmp_path: Path) -> None:
    spec = job("parquet")
    archive = saved(spec, tmp_path)
    unpack(archive)
    code = "import pandas" + reading_example(spec).split("import pandas", 1)[1]
    hashes = "[hashlib.sha256(image['bytes']).hexdigest() for image in table['image']]"
    labels, found = run_example(f"import hashlib\n{code}", archive, f"[table['label'].tolist(), {hashes}]")
    assert labels == spec.labels(range(3, 3 + N))
    assert found == [hashlib.sha256(encoded(k, "png")).hexdigest() for k in range(3, 3 + N)]


@pytest.mark.parametrize("classes", [CLASSES, ()])
@pytest.mark.parametrize("kind", ["png", "webp", "jpeg"])
def test_webdataset_and_datasets_read_the_tar(tmp_path: Path, kind: Format, classes: tuple[str, ...]) -> None:
    style = StyleSpec(id="5" * 64, mode="standard", strength=1, steps=9, weights="6" * 64)
    spec = job("webdataset", classes, kind, style=style)
    archive, suffix = saved(spec, tmp_path), SUFFIXES[kind]
    code, datasets_code = reading_example(spec).split("\n\nfrom datasets")
    row = f"[s['json']['index'], s.get('cls'), hashlib.sha256(s['{suffix}'].convert('RGB').tobytes()).hexdigest()]"
    found, records = run_example(
        f"import hashlib\n{code}\nfound = list(samples)",
        archive,
        f"[[{row} for s in found], [s['json'] for s in found]]",
    )
    assert found == expected(spec)
    assert [record["label"] if classes else None for record in records] == spec.class_names(range(3, 3 + N))
    assert records[0].keys() == {"index", "seed", "model", "sha256", "dhash", "style", *(["label"] if classes else [])}
    code = f"import hashlib\nfrom datasets{datasets_code}"
    assert run_example(code, archive, f"[{row} for s in images]") == expected(spec)
    names = [path.name for path in unpack(archive).iterdir()]
    assert len(names) == N * (3 if classes else 2) + len([name for name in names if "." not in name])


def test_numpy_reads_arrays(tmp_path: Path) -> None:
    spec = job("imagefolder", CLASSES, "npz")
    path = tmp_path / "dataset.npz"
    side = spec.model.resolution
    path.write_bytes(archive_of(spec, tmp_path / "store", lambda index: bytes([index] * 3 * side**2)))
    shape, labels = run_example(reading_example(spec), path, "[images.shape, labels.tolist()]")
    assert (shape, labels) == ([N, side, side, 3], spec.labels(range(3, 3 + N)))
    assert np.load(path)["labels"].tolist() == labels


def test_the_front_matter_is_valid_yaml_whatever_the_classes_are(tmp_path: Path) -> None:
    classes = ("a: b", '"', "- x", "{", "ö\\n", "'")
    folder = unpack(saved(job("imagefolder", classes), tmp_path))
    head = yaml.safe_load((folder / "README.md").read_text().split("---\n")[1])
    (config,) = head["configs"]
    (label,) = [column["dtype"] for column in config["features"] if column["name"] == "label"]
    assert [label["class_label"]["names"][f"{number}"] for number in range(len(classes))] == list(classes)
    columns = {column["name"] for column in config["features"]} - {"image"}
    lines = (folder / "metadata.jsonl").read_text().splitlines()
    assert json.loads(lines[0]).keys() - {"file_name"} == columns
