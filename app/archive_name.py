"""The name of a job's archive, for who downloads it with a browser and for who saves it from the command line."""

from typing import TYPE_CHECKING
from urllib.parse import quote

_MOST_LABEL = 100
"""Characters of a quoted label."""

if TYPE_CHECKING:
    from app import schemas
    from app.client.responses import ArchiveFields


def archive_name(job: "ArchiveFields | schemas.Job") -> str:
    """Name an archive after its job, with all that is not as usual, so that one dataset does not replace another."""
    parts = [job.model, f"seed{job.seed}", f"n{job.n}"]
    parts += [f"from{job.start}"] if job.start else []
    parts += [_cut(job.class_label)] if job.class_label is not None else []
    parts += [job.format] if job.format not in ("png", "npz") else []
    return f"{quote('-'.join(parts), safe=' ')}.{archive_suffix(job.format)}"


def archive_suffix(kind: str) -> str:
    """Tell how the name of an archive ends. Libraries that read it from its address look at that."""
    return "npz" if kind == "npz" else "zip"


def _cut(label: str) -> str:
    """Cut a label, so that a name stays within what file systems take: a character can become twelve."""
    kept = ""
    for character in label:
        if len(quote(kept + character)) > _MOST_LABEL:
            break
        kept += character
    return kept
