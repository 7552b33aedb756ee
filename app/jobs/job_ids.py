"""Ids that are names: a job that is found again by what it is for."""

import base64
import hashlib
import json

from worker.contracts.jobs import JobSpec

Part = str | int | float | None


def name(*parts: Part) -> str:
    """Make a job's id out of what names it."""
    digest = hashlib.sha256(json.dumps(parts).encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def address(spec: JobSpec) -> list[Part]:
    """List all that fixes the bytes of a job's one image, and whose it is."""
    model = spec.model
    style = list(spec.style.model_dump().values()) if spec.style else []
    fixed = [model.sha256, model.numerics.name, spec.seed, spec.first, spec.class_label, spec.format]
    return [spec.owner, *fixed, *style]
