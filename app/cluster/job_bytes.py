"""How many bytes a job may write to the store: upper bounds."""

from worker.contracts.jobs import JobSpec

_IMAGE_BYTES = 1 << 10
"""Allowance per image for headers, checksums and metadata, in bytes. Measured: 330 to 730 at 32 px."""
_JOB_BYTES = 1 << 15
"""Allowance per job for a few files, each of whole disk blocks, in bytes."""
_SURPLUS_DIVISOR = 8
"""One image in so many is stored but not kept, at most, in most jobs with a selection."""


def bytes_left(spec: JobSpec, stored: int | None = None) -> int:
    """Return how many bytes a job may still write after some images of its dataset were stored: those of ancestors.

    Compressed images take less.
    A job with a selection also stores images that it does not keep: surplus of complete classes, and shards that other
    workers render beyond the last image.
    """
    surplus = spec.n // _SURPLUS_DIVISOR + 2 * spec.cut.most if spec.selection else 0
    stored = spec.inherited if stored is None else stored
    return (spec.n - stored + surplus) * _bytes_per_image(spec) + _JOB_BYTES


def shard_bytes(spec: JobSpec, shard: int) -> int:
    """Return how many bytes one shard may take: an upper bound."""
    return len(spec.shard_indices(shard)) * _bytes_per_image(spec)


def _bytes_per_image(spec: JobSpec) -> int:
    return 3 * spec.model.resolution**2 + _IMAGE_BYTES
