"""Deterministic job ids: requests for the same purpose compute the same id, and so find the same job."""

import base64
import hashlib
import json

from worker.contracts.jobs import JobSpec

Part = str | int | float | None


def deterministic_id(*parts: Part) -> str:
    """Return the job id for these parts: 128 bits of the SHA-256 of their JSON, in URL-safe base64."""
    digest = hashlib.sha256(json.dumps(parts).encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def address_parts(spec: JobSpec) -> list[Part]:
    """Return the owner of a one-image job, followed by everything that fixes the bytes of its image file."""
    model = spec.model
    style = list(spec.style.model_dump().values()) if spec.style else []
    fixed = [model.sha256, model.numerics.name, spec.seed, spec.first, spec.class_label, spec.format]
    # Ids of unmarked images stay as they were.
    marking = [] if spec.marking == "none" else [spec.marking]
    return [spec.owner, *fixed, *style, *marking]
