"""The requests and responses of the HTTP API."""

import re
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    computed_field,
    model_validator,
)
from pydantic_core import PydanticCustomError

from worker.contracts.catalog import CatalogEntry, SetAside, Sha256
from worker.contracts.jobs import Format, JobError
from worker.contracts.styles import DEFAULT_STEPS, MAX_STEPS, Mode, StyleSpec

MAX_SEED = 2**53 - 1
"""The largest integer that JSON parsers of all languages read exactly. models/latents.py has the same limit."""

MAX_START = MAX_SEED - 10**9
"""Largest index of a job's first image, so that the index of its last image is at most MAX_SEED too."""

_RETRYABLE = frozenset(
    {"artifact_damaged", "model_unavailable", "no_worker", "out_of_memory", "weights_unavailable", "worker_crashed"}
)
"""Error codes of jobs that failed for a reason outside their request."""


def _reject_quoted_number(value: object, info: ValidationInfo) -> object:
    """Reject booleans in place of numbers, and strings in JSON. A query has only strings, so they pass there."""
    if isinstance(value, bool) or (isinstance(value, str) and info.field_name in (info.context or {}).get("json", ())):
        raise PydanticCustomError("not_a_number", "must be a number, in JSON without quotes")
    return value


def _reject_odd_spelling(value: object, info: ValidationInfo) -> object:
    """Reject "1_0", "5.0" and " 5", which pydantic would read as whole numbers."""
    if value is not None and not re.fullmatch(r"-?[0-9]{1,19}", str(_reject_quoted_number(value, info))):
        raise ValueError("not a whole number")
    return value


_REJECT_QUOTED = BeforeValidator(_reject_quoted_number)
_REJECT_ODD_SPELLING = BeforeValidator(_reject_odd_spelling)
"""It comes after the limits of a number. Before them, pydantic would leave the limits out of the JSON schema."""
WholeNumber = Annotated[int, _REJECT_ODD_SPELLING]
SeedOrIndex = Annotated[int, Field(ge=0, le=MAX_SEED), _REJECT_ODD_SPELLING]
"""A seed or an index."""


class ImageOptions(BaseModel):
    """The options of an image besides its model, seed and index."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    class_label: str | None = Field(
        default=None,
        alias="class",
        description="A class of a conditional model. If omitted, images alternate between all classes.",
    )
    style: Sha256 | None = Field(
        default=None, description="Id of a style from /styles. Images take its texture and colours."
    )
    style_mode: Mode | None = Field(
        default=None,
        description="`standard` (default) optimises each image separately. With `distilled`, the model learns the "
        "style first, which takes minutes on a CPU, and then renders styled images as fast as unstyled ones.",
    )
    style_strength: Annotated[float, Field(ge=0, le=1), _REJECT_QUOTED] | None = Field(
        default=None, description="Strength of the style, from 0 to 1. Default: 1."
    )
    style_steps: Annotated[int, Field(ge=1, le=MAX_STEPS), _REJECT_ODD_SPELLING] | None = Field(
        default=None,
        description=f"Optimisation steps for each image, by default {DEFAULT_STEPS['standard']}. With `distilled`, "
        f"steps for learning the style, by default {DEFAULT_STEPS['distilled']}.",
    )

    @model_validator(mode="after")
    def _check_style(self) -> Self:
        if self.style is None and (self.style_mode, self.style_strength, self.style_steps) != (None, None, None):
            raise ValueError("style_mode, style_strength and style_steps require `style`")
        return self

    @property
    def style_spec(self) -> StyleSpec | None:
        """The requested style with its defaults filled in; None without a style."""
        if self.style is None:
            return None
        mode = self.style_mode or "standard"
        strength = 1.0 if self.style_strength is None else self.style_strength
        return StyleSpec(id=self.style, mode=mode, strength=strength, steps=self.style_steps or DEFAULT_STEPS[mode])


class ImageRequest(ImageOptions):
    """The images that a request asks for."""

    n: WholeNumber = Field(
        description="Number of images, from 1 to the server's limit, which is 100000 by default.",
        json_schema_extra={"minimum": 1},
    )
    model: str | None = Field(
        default=None, description="Name of a model from /models. Default: the server's default model."
    )
    seed: SeedOrIndex | None = Field(
        default=None, description="Determines the images. If omitted, the server chooses a random seed."
    )
    start: SeedOrIndex = Field(
        default=0, description="Index of the first image. Use it to extend a dataset later. Default: 0."
    )
    format: Format = Field(
        default="png",
        description="`png` (default), lossless `webp`, `jpeg` with quality 95, or `npz` with uint8 arrays for NumPy.",
    )


class GenerateQuery(ImageRequest):
    """The parameters of /generate. An unknown one is an error, so that a typo cannot render other images unnoticed."""

    start: Annotated[int, Field(ge=0, le=MAX_START), _REJECT_ODD_SPELLING] = Field(
        default=0, description="Index of the first image. Use it to extend a dataset later. Default: 0."
    )
    ttl_hours: WholeNumber | None = Field(
        default=None,
        description="Hours to keep the images after the job's end. Default: the server's limit, which is usually 168.",
        json_schema_extra={"minimum": 1},
    )


class Links(BaseModel):
    """URLs of a job's files and actions."""

    self_: str = Field(serialization_alias="self")
    download: str
    cancel: str
    retry: str
    rebuild: str
    image: str | None
    """A URL template in which {index} is the image's index. None for formats without a file per image."""


class PublicJobError(JobError):
    """Why a job failed, and whether a retry (links.retry) may succeed."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def retryable(self) -> bool:
        """True if the cause was in the service, not in the request."""
        return self.code in _RETRYABLE


class Job(BaseModel):
    """A job as its owner sees it."""

    id: str
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    done: bool
    """True if the job has ended, so that its state never changes again."""
    phase: Literal["learning style", "rendering"] | None
    """Phase of a running job; None in other states."""
    model: str
    model_sha256: str
    n: int
    seed: int
    class_label: str | None = Field(serialization_alias="class")
    start: int
    """Index of the first image."""
    format: Format
    style: StyleSpec | None
    images_done: int
    images_total: int
    style_learnt: float | None
    """Progress of learning the style, from 0 to 1. Only for running jobs of the mode `distilled`."""
    images_per_s: float | None
    eta_seconds: float | None
    created: datetime
    finished: datetime | None
    expires: datetime | None
    """Time at which the images of an ended job are removed. links.rebuild renders the same bytes again."""
    error: PublicJobError | None
    links: Links


class Model(CatalogEntry):
    """A model that can render images."""

    default: bool
    workers: int
    """Number of live workers that can render this model now."""
    images_per_s: float | None
    """Sum of the speeds that these workers measured on their last shards."""


class SetAsideFile(SetAside):
    """A file that workers cannot use: a checkpoint, a folder of checkpoints or the weights of style transfer."""

    workers: int
    """Number of live workers that have set this file aside."""


class ModelList(BaseModel):
    """All models that can render images."""

    models: list[Model]
    set_aside: list[SetAsideFile]
    """Files that workers cannot use, with the reasons."""


class Style(BaseModel):
    """An image whose texture and colours other images can take."""

    id: str
    """Value of the parameter `style` of /generate."""
    width: int
    height: int
    created: datetime
    thumbnail: str


class StyleList(BaseModel):
    """All styles."""

    styles: list[Style]


class Health(BaseModel):
    """The response of a successful health check."""

    status: Literal["ok"] = "ok"


class Parts(BaseModel):
    """The parts of the service that render a job. Each value is `ok` or the reason why the part does not work."""

    queue: str
    worker: str
    store: str
    disk: str


class Paused(BaseModel):
    """A worker that is alive but takes no tasks."""

    name: str
    device: str
    reason: str
    """The cause, and how to fix it."""


class Workers(BaseModel):
    """The number of workers that take tasks, and the workers that do not."""

    working: int
    paused: list[Paused]


class Ready(Health):
    """The response if all parts work."""

    parts: Parts
    workers: Workers | None = None
    """Present if at least one worker takes no tasks."""


class Problem(BaseModel):
    """An error, in the format of RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    """Identifies the kind of error. It never changes, so programs may compare it."""
    retryable: bool
    """True when the same request may succeed later."""
