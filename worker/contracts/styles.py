"""Styles: pictures that images can take the style of, and how."""

import hashlib
import json
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from worker.contracts.catalog import CatalogEntry, Sha256
from worker.contracts.owners import Owner

Mode = Literal["standard", "distilled"]
"""Every image is optimised by itself, or a copy of the generator learns the style once."""
DEFAULT_STEPS: dict[Mode, int] = {"standard": 60, "distilled": 900}
"""Chosen by the curves in docs/style-transfer.md."""
MAX_STEPS = 10_000
METHOD = 2
"""The way in which images are styled and styles are learnt: another one makes other bytes."""


class StyleEntry(BaseModel):
    """One picture that was brought."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Sha256
    """Of its size and its pixels, once it is upright RGB: the same picture in another file is the same style."""
    width: int
    height: int
    owner: Owner = ""
    created: datetime


class StyleSpec(BaseModel):
    """How a job's images are styled. It is a part of their address."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Sha256
    mode: Mode = "standard"
    strength: Annotated[float, Field(ge=0, le=1)] = 1.0
    steps: Annotated[int, Field(ge=1, le=MAX_STEPS)]
    """Of the optimisation of each image, or of learning the style."""
    weights: Sha256 | None = None
    """VGG19's, by which styles are told."""
    method: int = METHOD

    def lesson(self, model: CatalogEntry, owner: str) -> str:
        """Name what a generator learns, by all that fixes the outcome. Returns a sha256.

        Every owner has their own lessons: one that is learnt already would tell that somebody else has the picture.
        """
        parts = (
            model.sha256,
            model.numerics.name,
            self.id,
            self.strength,
            self.steps,
            self.weights,
            self.method,
            *([owner] if owner else []),
        )
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
