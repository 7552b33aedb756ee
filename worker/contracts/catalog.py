"""What workers announce: the models that they can render, and themselves."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Numerics(BaseModel):
    """How a worker computes. Workers of the same numerics render the same bytes; of others, they need not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$")]
    """Kind of device and precision: cpu-bfloat16, cuda-bfloat16 and so on."""
    batch_size: int
    """Images per pass of the network."""


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
    numerics: Numerics
    """Of the worker that announces it."""


class SetAside(BaseModel):
    """One file that a worker cannot use: a checkpoint, a folder of checkpoints or the weights of style transfer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    """Its name, without the folder."""
    reason: str


class SetAsides(BaseModel):
    """All files that one worker has set aside."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: tuple[SetAside, ...]


class WorkerEntry(BaseModel):
    """One live worker."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    device: str
    numerics: Numerics
    models: tuple[str, ...]
    sha256s: tuple[Sha256, ...] = ()
    """Of the models, in the same order. Workers of an older version do not tell them."""
    images_per_s: float | None
    """Speed of the last shard that was not styled, None before the first."""
    vgg19: Sha256 | None = None
    """The weights that it styles by, None where it has none."""

    def has(self, entry: CatalogEntry) -> bool:
        """Tell whether it has a model: these very weights, not others of the same name."""
        return entry.sha256 in self.sha256s if self.sha256s else entry.name in self.models

    def offers(self, wanted: str) -> bool:
        """Tell whether it has what a job needs, by the name that `needs` makes; yes, if it is of an older version."""
        return wanted in offers(self.sha256s, self.vgg19) if self.sha256s else bool(self.models)


class PausedWorker(WorkerEntry):
    """One worker that is alive and takes no tasks."""

    reason: str


def needs(model_sha256: str, weights: str | None) -> str:
    """Name a model, and the weights of VGG19 that its images are styled by, if any."""
    return f"{model_sha256}+{weights}" if weights else model_sha256


def offers(model_sha256s: Iterable[str], weights: str | None) -> frozenset[str]:
    """Name all that a worker with some models and perhaps weights of VGG19 can render."""
    return frozenset(needs(sha256, each) for sha256 in model_sha256s for each in (None, weights))
