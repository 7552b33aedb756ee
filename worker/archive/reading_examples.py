"""The parts of a card that load the dataset: examples in Python, and the YAML that Hugging Face datasets reads."""

import json
from typing import Any

from worker.archive.layouts import image_folder
from worker.archive.layouts.columns import ColumnType, column_types
from worker.contracts.formats import SUFFIXES
from worker.contracts.jobs import JobSpec

_FOLDER = """from datasets import load_dataset

images = load_dataset("path/to/the/unpacked/folder", split="train")
# Or the ZIP as it is:
images = load_dataset("imagefolder", data_files="path/to/this.zip", split="train")"""

_FOLDER_OF_CLASSES = """from datasets import ClassLabel, load_dataset

images = load_dataset("path/to/the/unpacked/folder", split="train")  # "label" is a ClassLabel
# Or the ZIP as it is, in which "label" is the name of the class:
images = load_dataset("imagefolder", data_files="path/to/this.zip", split="train")
images = images.cast_column("label", ClassLabel(names={names}))  # the numbers of the model

# torchvision numbers the classes in alphabetical order.
from torchvision.datasets import ImageFolder

pictures = ImageFolder("path/to/the/unpacked/folder/images")"""

_PARQUET = """from datasets import load_dataset

images = load_dataset("path/to/the/unpacked/folder", split="train")  # "image" is a picture{label}

# Other readers of Parquet have the bytes of the image files.
import pandas

table = pandas.read_parquet("path/to/the/unpacked/folder/data")"""

_WEBDATASET = """import webdataset

# A sample has the keys {keys}.
samples = webdataset.WebDataset("path/to/this.tar", shardshuffle=False).decode("pil")

from datasets import load_dataset

images = load_dataset("webdataset", data_files="path/to/this.tar", split="train")"""

_ARRAYS = """import numpy as np

with np.load("path/to/this.npz") as file:
    images = np.concatenate([file[name] for name in sorted(file.files) if name.startswith("images_")])
    labels = file["labels"]  # numbers of the classes above, -1 where there are none; images: (n, h, w, 3) uint8"""


def reading_example(spec: JobSpec) -> str:
    """Return Python code that loads the archive of a job."""
    if spec.format == "npz":
        return _ARRAYS
    if spec.packing == "parquet":
        return _PARQUET.format(label=', "label" a ClassLabel' if spec.classes else "")
    if spec.packing == "webdataset":
        keys = [SUFFIXES[spec.format], *(["cls"] if spec.classes else []), "json"]
        return _WEBDATASET.format(keys=", ".join(keys))
    names = json.dumps(spec.classes, ensure_ascii=False)
    return _FOLDER_OF_CLASSES.format(names=names) if spec.classes else _FOLDER


def loader_yaml(spec: JobSpec) -> str:
    """Return the lines of the card's front matter that tell `datasets` which files to load, and the columns' types.

    It is empty for archives that `datasets` loads without it.
    """
    if spec.format == "npz" or spec.packing == "webdataset":
        return ""
    paths = ["data/*.parquet"] if spec.packing == "parquet" else ["metadata.jsonl", "images/**"]
    lines = [
        "configs:",
        "- config_name: default",
        "  data_files:",
        "  - split: train",
        f"    path: {json.dumps(paths)}",
    ]
    if spec.packing == "imagefolder":  # a Parquet file has the types of its columns
        columns = [
            {"name": name, "dtype": _yaml_type(kind)} for name, kind in column_types(spec, image_folder.COLUMNS).items()
        ]
        lines += ["  features:", *(f"  - {json.dumps(column, ensure_ascii=False)}" for column in columns)]
    return "".join(f"{line}\n" for line in lines)


def _yaml_type(kind: ColumnType) -> Any:  # noqa: ANN401
    """Return a type as the YAML of cards has it. `kind` is one of `datasets.Features.to_dict`."""
    if kind["_type"] == "ClassLabel":
        return {"class_label": {"names": {str(number): name for number, name in enumerate(kind["names"])}}}
    return kind.get("dtype", kind["_type"].lower())
