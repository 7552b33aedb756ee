"""The announcements of workers: their models, the files that they cannot use, and themselves."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Numerics(BaseModel):
    """Device type and number format of a worker. Workers of one numerics render the same bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$")]
    """Device type and number format: cpu-bfloat16, cuda-bfloat16 and so on."""
    batch_size: int
    """Number of images in one pass of the network."""


class CatalogEntry(BaseModel):
    """One model that a worker can render."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sha256: Sha256
    resolution: int
    classes: tuple[str, ...]
    """Class names in label order; empty if the model is unconditional."""
    data: str
    licence: str
    metrics: dict[str, float]
    numerics: Numerics
    """Numerics of the worker that announces the model."""


class SetAside(BaseModel):
    """One file that a worker cannot use: a checkpoint, a folder of checkpoints or the weights of VGG19."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    """File name without the folder."""
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
    """Checksums of the models, in the same order. Workers of an older version do not send them."""
    images_per_s: float | None
    """Images per second of the last shard without style; None before the first one."""
    vgg19: Sha256 | None = None
    """Checksum of its VGG19 weights; None if it has none."""

    def has(self, entry: CatalogEntry) -> bool:
        """Return whether the worker has a model: the same weights, not only the same name."""
        return entry.sha256 in self.sha256s if self.sha256s else entry.name in self.models

    def offers(self, wanted: str) -> bool:
        """Return whether the worker can render a job with these `needs`. One of an older version counts as able."""
        return wanted in offers(self.sha256s, self.vgg19) if self.sha256s else bool(self.models)


class PausedWorker(WorkerEntry):
    """One live worker that takes no tasks."""

    reason: str


def needs(model_sha256: str, weights: str | None) -> str:
    """Return the name of a requirement: a model, and VGG19 weights if its images are styled."""
    return f"{model_sha256}+{weights}" if weights else model_sha256


def offers(model_sha256s: Iterable[str], weights: str | None) -> frozenset[str]:
    """Return all values of `needs` that a worker with these models and VGG19 weights fulfils."""
    # A worker with weights also renders jobs without style, which need none.
    return frozenset(needs(sha256, each) for sha256 in model_sha256s for each in (None, weights))
