"""The name of a job's archive, for who downloads it with a browser and for who saves it from the command line."""

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from app import client, schemas


def archive_name(job: "client.Job | schemas.Job") -> str:
    """Name an archive after its job, with all that is not as usual, so that one dataset does not replace another."""
    parts = [job.model, f"seed{job.seed}", f"n{job.n}"]
    parts += [f"from{job.start}"] if job.start else []
    parts += [job.class_label] if job.class_label is not None else []
    parts += [job.format] if job.format not in ("png", "npz") else []
    return f"{quote('-'.join(parts), safe=' ')}.{'npz' if job.format == 'npz' else 'zip'}"
