"""What workers announce: the models that they can render, and themselves."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class CatalogEntry(BaseModel):
    """One model that a worker can render."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sha256: Sha256
    resolution: int
    classes: tuple[str, ...]
    """Class names in label order; empty when the model is unconditional."""
    data: str
    licence: str
    metrics: dict[str, float]


class WorkerEntry(BaseModel):
    """One live worker."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    device: str
    models: tuple[str, ...]
    images_per_s: float | None
    """Speed of the last shard, None before the first."""
