"""The dataset card in archives of version 1 to 3. It describes the images and how to load and reproduce them."""

import json
from collections.abc import Sequence

from worker.archive.dataset_report import build_report
from worker.contracts.choice import ChosenShard
from worker.contracts.jobs import JobSpec

_CARD = """---
license: other
license_name: {quoted_licence}
pretty_name: {n} images from {model}
tags: [synthetic, imagemill]
{class_names}---
# {n} synthetic images from `{model}`

Made by Imagemill. The images are generated; a generated image can still resemble one of the training data.

| | |
|---|---|
| model | `{model}` |
| model sha256 | `{sha256}` |
| seed | {seed} |
| images | {images}, {resolution} x {resolution} px, RGB, {format} |
| classes | {classes} |
| computed in | {numerics} |
| the model's training data | {data} |
| licence of the training data | {licence} |
{styling}
Image `i` is fixed by (model sha256, seed, i{and_class}){growth}

```python
{reading}
```
{report}"""

_GROWTH = ": asking for more images later begins with these."
_GROWTH_OF_A_SELECTION = ". A larger dataset of the same request may have other images between these."
"""A selection stops at different indices in each class, and a larger dataset goes on there."""

_READ_FOLDER = """from datasets import load_dataset

images = load_dataset("imagefolder", data_dir="path/to/this/folder", split="train")"""

_READ_CLASSES = """from datasets import ClassLabel, load_dataset

images = load_dataset("imagefolder", data_dir="path/to/this/folder", split="train")
images = images.cast_column("label_id", ClassLabel(names={names}))  # the same numbers in every dataset of the model"""

_READ_ARRAYS = """import numpy as np

with np.load("path/to/this.npz") as file:
    images = np.concatenate([file[name] for name in sorted(file.files) if name.startswith("images_")])
    labels = file["labels"]  # numbers of the classes above, -1 where there are none; images: (n, h, w, 3) uint8"""


def build_card(spec: JobSpec, shards: Sequence[ChosenShard]) -> str:
    """Return the dataset card, in Markdown with YAML front matter."""
    model = spec.model
    only = f"only {_class_with_number(spec, spec.class_label)}" if spec.class_label is not None else None
    return _CARD.format(
        model=model.name,
        sha256=model.sha256,
        seed=spec.seed,
        n=spec.n,
        images=_index_range(spec, shards),
        resolution=model.resolution,
        format="raw pixels" if spec.format == "npz" else spec.format.upper(),
        classes=only or _list_of_classes(spec) or "none",
        numerics=model.numerics.name,
        data=model.data,
        licence=model.licence,
        quoted_licence=json.dumps(model.licence),  # JSON strings are valid YAML, whatever the text holds
        styling=_style_row(spec),
        and_class=", class" * (spec.class_label is not None or bool(spec.shares))
        + ", style" * (spec.style is not None),
        growth=_GROWTH if spec.selection is None else _GROWTH_OF_A_SELECTION,
        class_names=f"class_names: {_class_names_as_json(spec)}\n" if spec.numbers_classes else "",
        reading=_reading_example(spec),
        report=build_report(spec, shards),
    )


def _index_range(spec: JobSpec, shards: Sequence[ChosenShard]) -> str:
    if spec.selection is None:
        return f"{spec.first} to {spec.first + spec.n - 1}"
    last = max(index for shard in shards[-1:] for index, _ in shard.images())
    return f"{spec.n} of the indices {spec.first} to {last}"


def _reading_example(spec: JobSpec) -> str:
    if spec.format == "npz":
        return _READ_ARRAYS
    return _READ_CLASSES.format(names=_class_names_as_json(spec)) if spec.numbers_classes else _READ_FOLDER


def _class_names_as_json(spec: JobSpec) -> str:
    """Return the class names in the order of their numbers, as JSON, which is also valid YAML and Python."""
    return json.dumps(spec.classes, ensure_ascii=False)


def _list_of_classes(spec: JobSpec) -> str:
    asked = zip(spec.classes, spec.class_shares, strict=True)
    return ", ".join(_class_with_number(spec, label) for label, share in asked if share)


def _class_with_number(spec: JobSpec, label: str) -> str:
    return f"{label} ({spec.classes.index(label)})" if spec.numbers_classes else label


def _style_row(spec: JobSpec) -> str:
    if spec.style is None:
        return ""
    style = spec.style
    return f"| style | {style.id}, {style.mode}, strength {style.strength:g}, {style.steps} steps |\n"
