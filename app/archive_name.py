"""The file name of a job's archive, for browsers and for the command line."""

from typing import TYPE_CHECKING
from urllib.parse import quote

_MAX_LABEL_CHARACTERS = 100
"""Largest number of characters of a class label after percent-encoding."""

if TYPE_CHECKING:
    from app import schemas
    from app.client import answers


def archive_name(job: "answers.Named | schemas.Job") -> str:
    """Return a file name with model, seed, n and all parameters that differ from their defaults.

    Different datasets have different names, so that a download does not overwrite another one.
    """
    parts = [job.model, f"seed{job.seed}", f"n{job.n}"]
    parts += [f"from{job.start}"] if job.start else []
    parts += [_shorten(job.class_label)] if job.class_label is not None else []
    parts += [job.format] if job.format not in ("png", "npz") else []
    return f"{quote('-'.join(parts), safe=' ')}.{archive_suffix(job.format)}"


def archive_suffix(archive_format: str) -> str:
    """Return the file extension of an archive. Libraries that read an archive from a URL need it."""
    return "npz" if archive_format == "npz" else "zip"


def _shorten(label: str) -> str:
    """Shorten a label. Percent-encoding turns one character into up to twelve, and file systems limit names."""
    shortened = ""
    for character in label:
        if len(quote(shortened + character)) > _MAX_LABEL_CHARACTERS:
            break
        shortened += character
    return shortened
