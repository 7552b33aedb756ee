"""The end of a job's archive: metadata, dataset card and central directory."""

import json
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence

from worker import archive
from worker.contracts.artifacts import ImageEntry, ShardIndex
from worker.contracts.jobs import JobSpec

_CARD = """---
license: other
license_name: {quoted_licence}
pretty_name: {n} images from {model}
tags: [synthetic, imagemill]
---
# {n} synthetic images from `{model}`

Made by Imagemill. The images are generated; a generated image can still resemble one of the training data.

| | |
|---|---|
| model | `{model}` |
| model sha256 | `{sha256}` |
| seed | {seed} |
| images | {n}, {resolution} x {resolution} px, RGB, PNG |
| classes | {classes} |
| the model's training data | {data} |
| licence of the training data | {licence} |

Image `i` is fixed by (model sha256, seed, i{and_class}): asking for more images later begins with these.

```python
from datasets import load_dataset

images = load_dataset("imagefolder", data_dir="path/to/this/folder", split="train")
```
"""


def image_name(index: int, label: str | None) -> str:
    """Make an image's path in the archive; class folders where there are classes."""
    return f"images/{index:06d}.png" if label is None else f"images/{_folder(label)}/{index:06d}.png"


def build_tail(spec: JobSpec, shards: Sequence[ShardIndex]) -> bytes:
    """Make all that follows the shards' data. It depends on nothing but its arguments."""
    images_end = sum(shard.size for shard in shards)
    files = {"metadata.jsonl": _metadata(spec, shards), "README.md": card(spec).encode()}
    members = {name: archive.stored_file(name, data) for name, data in files.items()}
    entries = [*_image_entries(shards), *_member_entries(files, members, images_end)]
    start = images_end + sum(map(len, members.values()))
    return b"".join(members.values()) + archive.central_directory(entries, start)


def card(spec: JobSpec) -> str:
    """Make the dataset card."""
    model = spec.model
    chosen = f"only {spec.class_label}" if spec.class_label is not None else ", ".join(model.classes)
    return _CARD.format(
        model=model.name,
        sha256=model.sha256,
        seed=spec.seed,
        n=spec.n,
        resolution=model.resolution,
        classes=chosen or "none",
        data=model.data,
        licence=model.licence,
        quoted_licence=json.dumps(model.licence),  # any text, as YAML
        and_class=", class" if spec.class_label is not None else "",
    )


def _folder(label: str) -> str:
    safe = re.sub(r"[^\w .-]", lambda match: f"%{ord(match[0]):02X}", label)
    return re.sub(r"^\.", "%2E", safe)


def _metadata(spec: JobSpec, shards: Iterable[ShardIndex]) -> bytes:
    lines = (json.dumps(_record(spec, image), ensure_ascii=False) for shard in shards for image in shard.images)
    return "".join(f"{line}\n" for line in lines).encode()


def _record(spec: JobSpec, image: ImageEntry) -> dict[str, str | int]:
    record: dict[str, str | int] = {"file_name": image.name, "index": image.index, "seed": spec.seed}
    if image.label is not None:
        record["label"] = image.label
    return record | {"model": spec.model.name, "sha256": image.sha256}


def _image_entries(shards: Iterable[ShardIndex]) -> Iterator[archive.Entry]:
    start = 0
    for shard in shards:
        for image in shard.images:
            header = len(archive.local_header(image.name, image.size, image.crc32))
            yield archive.Entry(image.name, start + image.offset - header, image.size, image.crc32)
        start += shard.size


def _member_entries(files: dict[str, bytes], members: dict[str, bytes], start: int) -> Iterator[archive.Entry]:
    for name, data in files.items():
        yield archive.Entry(name, start, len(data), zlib.crc32(data))
        start += len(members[name])
