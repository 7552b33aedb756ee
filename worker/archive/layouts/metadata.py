"""The metadata of the images of an archive."""

import json
from collections.abc import Callable, Iterator

from worker.contracts.choice import ChosenShard
from worker.contracts.image_record import Record, image_record
from worker.contracts.jobs import JobSpec

# One encoder for all records: json.dumps with options would build one for each image.
to_json: Callable[[object], str] = json.JSONEncoder(ensure_ascii=False).encode


def image_records(spec: JobSpec, shard: ChosenShard) -> Iterator[Record]:
    """Yield the metadata of the chosen images of a shard."""
    images = list(shard.images())
    labels = labels_of(spec, [index for index, _ in images])
    table = shard.index.images
    for (index, row), label in zip(images, labels, strict=True):
        dhash = table.hashes[row] if table.hashes else ""
        yield image_record(spec, index, label, table.sha256s[row], dhash, shard.score(row))


def labels_of(spec: JobSpec, indices: list[int]) -> list[int] | list[None]:
    """Return the class number of each image; None for each image if the model is unconditional."""
    return spec.labels(indices) or [None] * len(indices)
