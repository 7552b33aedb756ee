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
        description="One class of a conditional model; when left out, all classes in turn, equally often.",
    )
    style: Sha256 | None = Field(default=None, description="The id of a picture from /styles; images take its style.")
    style_mode: Mode | None = Field(
        default=None,
        description="`standard` (if left out) optimises every image by itself; with `distilled` the model learns the "
        "style once, which takes minutes on a CPU, and then renders styled images as fast as plain ones.",
    )
    style_strength: Annotated[float, Field(ge=0, le=1), _REJECT_QUOTED] | None = Field(
        default=None, description="How much of the style; 1 if left out."
    )
    style_steps: Annotated[int, Field(ge=1, le=MAX_STEPS), _REJECT_ODD_SPELLING] | None = Field(
        default=None,
        description=f"Steps of the optimisation of each image, {DEFAULT_STEPS['standard']} if left out; or of learning "
        f"the style, {DEFAULT_STEPS['distilled']} if left out.",
    )

    @model_validator(mode="after")
    def _check_style(self) -> Self:
        if self.style is None and (self.style_mode, self.style_strength, self.style_steps) != (None, None, None):
            raise ValueError("style_mode, style_strength and style_steps want a style")
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
        description="How many images: 1 up to the server's limit, 100000 by default.",
        json_schema_extra={"minimum": 1},
    )
    model: str | None = Field(default=None, description="A name from /models; the server's default when left out.")
    seed: SeedOrIndex | None = Field(
        default=None, description="Fixes the images; a random one is chosen when left out."
    )
    start: SeedOrIndex = Field(
        default=0, description="Index of the first image, 0 if left out: a dataset can be extended later."
    )
    format: Format = Field(
        default="png",
        description="`png` if left out; `webp` is lossless, `jpeg` has quality 95, `npz` holds uint8 arrays for NumPy.",
    )


class GenerateQuery(ImageRequest):
    """The parameters of /generate. An unknown one is an error, so that a typo cannot render other images unnoticed."""

    start: Annotated[int, Field(ge=0, le=MAX_START), _REJECT_ODD_SPELLING] = Field(
        default=0, description="Index of the first image, 0 if left out: a dataset can be extended later."
    )
    ttl_hours: WholeNumber | None = Field(
        default=None,
        description="How long the images are kept from the job's end; the server's limit, 168 by default, if left out.",
        json_schema_extra={"minimum": 1},
    )


class Links(BaseModel):
    """Where the parts of a job are."""

    self_: str = Field(serialization_alias="self")
    download: str
    cancel: str
    retry: str
    rebuild: str
    image: str | None
    """A URL template in which {index} is the image's index. None for formats without a file per image."""


class PublicJobError(JobError):
    """Why a job failed, and whether it may go better when it is tried again (links.retry)."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def retryable(self) -> bool:
        """Tell whether the trouble was with the service and not with the request."""
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
    """A model that can be asked for."""

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
    """All models that can be asked for."""

    models: list[Model]
    set_aside: list[SetAsideFile]
    """Files that workers cannot use, with the reasons."""


class Style(BaseModel):
    """A picture that images can take the style of."""

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
    """The answer of a probe."""

    status: Literal["ok"] = "ok"


class Parts(BaseModel):
    """What the service needs to render a job: of each part `ok`, or a sentence that says why not."""

    queue: str
    worker: str
    store: str
    disk: str


class Paused(BaseModel):
    """A worker that is alive and takes no tasks."""

    name: str
    device: str
    reason: str
    """The cause, and how to fix it."""


class Workers(BaseModel):
    """How many workers take tasks, and which do not."""

    working: int
    paused: list[Paused]


class Ready(Health):
    """The answer when all parts are well."""

    parts: Parts
    workers: Workers | None = None
    """Present if at least one worker takes no tasks."""


class Problem(BaseModel):
    """Any error, after RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    """Identifies the kind of error. It never changes, so programs may compare it."""
    retryable: bool
    """True when the same request may succeed later."""
