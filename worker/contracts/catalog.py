"""The announcements of workers: their models, the files that they cannot use, and themselves."""

from collections.abc import Iterable
from itertools import product
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

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


class GateEffect(BaseModel):
    """The quality of a model's images if the gate keeps a share of them, on images that the gate has not seen."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )

    keep: float
    """Share of the images that the gate keeps; 1 means no gate."""
    yield_: float = Field(validation_alias="yield", serialization_alias="yield")
    """Share of these images that pass the realism test."""
    precision: float
    density: float
    coverage: float
    recall: float
    fd: float


def _is_empty(value: object) -> bool:
    return not value  # the specifications of models without sliders stay as they were


class ModelFacts(BaseModel):
    """Facts about a model for users who choose one. A worker announces them with the model."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model_sha256: Sha256
    gate: Sha256 | None = None
    """Checksum of the file of the model's quality gate; None if there is none."""
    class_counts: tuple[int, ...] = ()
    """Number of training images of each class, in label order; empty if unknown."""
    class_yields: tuple[float, ...] = ()
    """Share of each class's images that pass the realism test without a gate; empty if unknown."""
    effects: tuple[GateEffect, ...] = ()
    """Effects of the gate, for several shares. The first one is without a gate."""
    judge: str = ""
    """Feature network of these figures."""
    close_real_pairs: float | None = None
    """Share of the pairs of training images whose hashes differ in at most 3 bits; None if unknown."""
    sliders: Sha256 | None = Field(default=None, exclude_if=_is_empty)
    """Checksum of the file of the model's sliders; None if there is none."""
    slider_names: tuple[str, ...] = Field(default=(), exclude_if=_is_empty)


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

    model_config = ConfigDict(
        frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )

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
    gates: tuple[Sha256, ...] = ()
    """Checksums of its quality gates. Each belongs to one of its models."""
    archive_version: int = Field(default=2, validation_alias="layout", serialization_alias="layout")
    """Newest version of archives that it knows. Workers of an older version do not send it, and know version 2."""
    answers_directly: bool = False
    """Whether it answers direct requests. Workers of an older version do not."""
    draws_points: bool = False
    """Whether it draws images of points and previews. Workers of an older version do not."""

    def has(self, entry: CatalogEntry) -> bool:
        """Return whether the worker has a model: the same weights, not only the same name."""
        return entry.sha256 in self.sha256s if self.sha256s else entry.name in self.models

    def offers(self, wanted: str) -> bool:
        """Return whether the worker can render a job with these `needs`. One of an older version counts as able."""
        return wanted in offers(self.sha256s, self.vgg19, self.gates) if self.sha256s else bool(self.models)


class PausedWorker(WorkerEntry):
    """One live worker that takes no tasks."""

    reason: str


def needs(model_sha256: str, weights: str | None, gate: str | None = None) -> str:
    """Return the name of a requirement: a model, VGG19 weights for styled images, and a quality gate."""
    return "+".join(filter(None, (model_sha256, weights, gate)))


def offers(model_sha256s: Iterable[str], weights: str | None, gates: Iterable[str] = ()) -> frozenset[str]:
    """Return all values of `needs` that a worker with these models, VGG19 weights and gates fulfils."""
    # A worker with weights and gates also renders jobs that need neither.
    ways = set(product((None, weights), (None, *gates)))
    return frozenset(needs(sha256, *way) for sha256 in model_sha256s for way in ways)
