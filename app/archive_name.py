"""The file name of a job's archive, for browsers and for the command line."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol
from urllib.parse import quote

_MAX_LABEL_CHARACTERS = 100
"""Largest number of characters of the classes after percent-encoding."""
_MAX_COUNTS_CHARACTERS = 60
"""Limit for classes with their counts. Other parts of the name are longer beside them."""
_MAX_STEM_CHARACTERS = 190
"""Limit for all of the name before a checksum. File systems allow 255, and the client adds 33 for a partial file."""
_DIGEST_CHARACTERS = 8
"""Characters of the checksum that tells names apart whose classes were shortened."""


class ArchiveParameters(Protocol):
    """The parameters of a job that the name of its archive contains. Classes of the API and of the client have them."""

    @property
    def name(self) -> str | None:
        """Label that the user gave to the job; None without one."""

    @property
    def model(self) -> str:
        """Name of the model."""

    @property
    def seed(self) -> int:
        """Seed of the images."""

    @property
    def walk(self) -> str | None:
        """First latents of the points of a walk; None for other jobs."""

    @property
    def points(self) -> str | None:
        """Checksum of all that a job requested about its points; None for jobs without points."""

    @property
    def n(self) -> int:
        """Number of images."""

    @property
    def start(self) -> int:
        """Index of the first image in its split."""

    @property
    def split(self) -> str | None:
        """Split of the images; None without one."""

    @property
    def class_label(self) -> str | None:
        """Class of the images; None for all classes."""

    @property
    def classes(self) -> Mapping[str, int] | None:
        """Number of images of each class; None if the request named no classes."""

    @property
    def keep(self) -> float | None:
        """Share of the images that the quality gate keeps; None without a gate."""

    @property
    def copies(self) -> str:
        """`drop` if copies of training images are left out."""

    @property
    def distinct(self) -> int | None:
        """Largest difference in bits of images that count as equal; None if all images stay."""

    @property
    def excluded(self) -> int:
        """Number of images that the user excluded, and that were replaced."""

    @property
    def format(self) -> str:
        """Format of the images."""

    @property
    def layout(self) -> str | None:
        """Layout of the archive."""


def archive_name(job: ArchiveParameters) -> str:
    """Return a file name with the job's name, model, seed, n and all parameters that differ from their defaults.

    Different datasets have different names, so that a download does not overwrite another one.
    """
    parts = [job.name] if job.name is not None else []
    parts += [job.model, f"seed{job.seed}" if job.walk is None else f"walk-{job.walk}", f"n{job.n}"]
    parts += [f"points-{job.points}"] if job.points is not None else []
    parts += [job.split] if job.split is not None else []
    parts += [f"from{job.start}"] if job.start else []
    parts += [_shorten(job.class_label)] if job.class_label is not None else []
    parts += [_shorten_counts(job.classes)] if job.classes is not None else []
    parts += [f"keep{job.keep:g}"] if job.keep is not None else []
    parts += ["nocopies"] if job.copies == "drop" else []
    parts += [f"distinct{job.distinct}"] if job.distinct is not None else []
    parts += [f"without{job.excluded}"] if job.excluded else []
    parts += [job.format] if job.format not in ("png", "npz") else []
    parts += ["parquet"] if job.layout == "parquet" else []
    stem = _shorten_with_checksum("-".join(parts), _MAX_STEM_CHARACTERS)
    return f"{quote(stem, safe=' ')}.{archive_suffix(job.format, job.layout)}"


def walk_name(points: Iterable[Iterable[Sequence[float]]]) -> str:
    """Return the name of a walk through points: the address of the first latent of each. Shorter than its points."""
    firsts = [next(iter(atoms)) for atoms in points]
    return _shorten_with_checksum("-to-".join(f"{atom[0]}-{atom[1]}" for atom in firsts), _MAX_COUNTS_CHARACTERS)


def points_checksum(*parts: object) -> str | None:
    """Return a short checksum of JSON objects with points; None without any. Points are too long for a file name."""
    if not any(parts):
        return None
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARACTERS]


def archive_suffix(image_format: str, layout: str | None) -> str:
    """Return the file extension of an archive. Libraries that read an archive from a URL need it."""
    if image_format == "npz":
        return "npz"
    return "tar" if layout == "webdataset" else "zip"


def _shorten_counts(counts: Mapping[str, int]) -> str:
    """Return classes and counts as one label. If that is too long, a checksum replaces the rest."""
    label = "-".join(f"{name}-{count}" for name, count in counts.items())
    return _shorten_with_checksum(label, _MAX_COUNTS_CHARACTERS)


def _shorten_with_checksum(label: str, most: int) -> str:
    """Shorten a label to about so many characters. If it is too long, a checksum replaces the rest."""
    shortened = _shorten(label, most)
    if shortened == label:
        return label
    return f"{shortened}-{hashlib.sha256(label.encode()).hexdigest()[:_DIGEST_CHARACTERS]}"


def _shorten(label: str, most: int = _MAX_LABEL_CHARACTERS) -> str:
    """Shorten a label. Percent-encoding turns one character into up to twelve, and file systems limit names."""
    # Cut before quoting, because a cut inside an escape would be invalid.
    shortened = ""
    for character in label:
        if len(quote(shortened + character)) > most:
            break
        shortened += character
    return shortened
