"""The id of the job that makes one image: its address."""

import base64
import hashlib
import json

from worker.contracts.jobs import JobSpec


def address_id(spec: JobSpec, attempt: int) -> str:
    """Make an id out of all that fixes an image's bytes, whose it is, and the number of the attempt."""
    model = spec.model
    parts = [model.sha256, model.numerics.name, spec.seed, spec.first, spec.class_label, spec.format, attempt]
    if spec.style is not None:
        parts += spec.style.model_dump().values()
    if spec.owner:
        parts.append(spec.owner)
    digest = hashlib.sha256(json.dumps(parts).encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
