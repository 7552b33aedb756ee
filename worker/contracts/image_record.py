"""The metadata of an image in an archive. Workers write it; the API describes it and estimates its size."""

from worker.contracts.jobs import JobSpec

Record = dict[str, str | int]


def image_record(spec: JobSpec, index: int, label: int | None, sha256: str, dhash: str, score: int | None) -> Record:
    """Return the metadata of one image. A value that does not exist is left out."""
    record: Record = {"index": index, "seed": spec.seed}
    if label is not None:
        record["label"] = spec.classes[label]
    if label is not None and spec.numbers_classes:
        record["label_id"] = label
    if spec.style is not None:
        record["style"] = spec.style.id
    if spec.placement is not None:
        record["point"] = spec.placement.point(spec.seed, index, None if label is None else spec.classes[label]).query
    record |= {"model": spec.model.name, "sha256": sha256}
    if spec.hashes_images:
        record["dhash"] = dhash
    if score is not None:
        record["score"] = score
    return record
