"""Styles: the uploaded images, and how a job uses one."""

import hashlib
import json
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from worker.contracts.catalog import CatalogEntry, Sha256
from worker.contracts.owners import Owner

Mode = Literal["standard", "distilled"]
"""`standard` optimises each image by itself; `distilled` fine-tunes a copy of the generator once."""
DEFAULT_STEPS: dict[Mode, int] = {"standard": 60, "distilled": 900}
"""Default number of steps. The curves in docs/style-transfer.md show why."""
MAX_STEPS = 10_000
METHOD = 2
"""Version of the algorithms of both modes. A change of the bytes that they make needs a new number."""


class StyleEntry(BaseModel):
    """One uploaded style image of an owner."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Sha256
    """Checksum of its size and pixels as upright RGB. So two files with the same pixels are one style."""
    width: int
    height: int
    owner: Owner = ""
    created: datetime


class StyleSpec(BaseModel):
    """The style of a job's images and its parameters. It is a part of their address."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Sha256
    mode: Mode = "standard"
    strength: Annotated[float, Field(ge=0, le=1)] = 1.0
    steps: Annotated[int, Field(ge=1, le=MAX_STEPS)]
    """Number of steps to optimise each image, or to distil the model."""
    weights: Sha256 | None = None
    """Checksum of the VGG19 weights that measure the style."""
    method: int = METHOD

    def distilled_model_key(self, model: CatalogEntry, owner: str) -> str:
        """Return the key of the distilled model: a sha256 of everything that determines its weights.

        The owner is a part of it. If owners shared distilled models, a fast job would reveal that another owner has the
        same style image.
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
