"""The options of an image, which requests of images and of jobs share."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.schemas.parameter_types import REJECT_ODD_SPELLING, REJECT_QUOTED
from worker.contracts.catalog import Sha256
from worker.contracts.styles import DEFAULT_STEPS, MAX_STEPS, Mode, StyleSpec


class ImageOptions(BaseModel):
    """The options of an image in addition to its model, seed and index."""

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
    style_strength: Annotated[float, Field(ge=0, le=1), REJECT_QUOTED] | None = Field(
        default=None, description="Strength of the style, from 0 to 1. Default: 1."
    )
    style_steps: Annotated[int, Field(ge=1, le=MAX_STEPS), REJECT_ODD_SPELLING] | None = Field(
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
        # Defaults are filled in here, because an omitted parameter must differ from a sent one in _check_style.
        mode = self.style_mode or "standard"
        strength = 1.0 if self.style_strength is None else self.style_strength
        return StyleSpec(id=self.style, mode=mode, strength=strength, steps=self.style_steps or DEFAULT_STEPS[mode])
