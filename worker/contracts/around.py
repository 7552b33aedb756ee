"""How the images of a job lie around a point. docs/points.md defines their latents."""

import math
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from worker.contracts.catalog import Sha256
from worker.contracts.points import MAX_ATOMS, Atom, ClassMix, Point, Shift, Truncation, round_number

Spread = Annotated[float, Field(ge=0, le=1), AfterValidator(round_number)]


def _is_default(value: object) -> bool:
    return not value


def _is_one(value: object) -> bool:
    return value == 1


class Around(BaseModel):
    """Image i of a job is the point of these latents and of its own: a spread of 1 leaves its own only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: tuple[Atom, ...] = Field(default=(), max_length=MAX_ATOMS, exclude_if=_is_default)
    spread: Spread = Field(default=1.0, exclude_if=_is_one)
    """Weight of the image's own latent. The weights of the others are multiplied by sqrt(1 - spread^2)."""
    shift: Shift = Field(default={}, exclude_if=_is_default)
    truncation: Truncation = Field(default=1.0, exclude_if=_is_one)
    classes: ClassMix = Field(default={}, exclude_if=_is_default)
    """A mixture of classes that all images have; empty if each image has one class."""
    sliders: Sha256 | None = Field(default=None, exclude_if=_is_default)
    """Checksum of the file of sliders that `shift` names."""

    def atoms(self, seed: int, index: int) -> tuple[Atom, ...]:
        """Return the latents of the image of an index."""
        return (*self.centre, *((Atom(seed, index, self.spread),) if self.spread else ()))

    @cached_property
    def centre(self) -> tuple[Atom, ...]:
        """The latents that all images share, with the weights that they have in each."""
        scale = math.sqrt(1 - self.spread**2)
        return tuple(atom._replace(weight=round_number(atom.weight * scale)) for atom in self.at) if scale else ()

    def point(self, seed: int, index: int, class_name: str | None) -> Point:
        """Return the point of the image of an index, with its class."""
        return Point(
            at=self.atoms(seed, index),
            shift=self.shift,
            classes=self.classes or ({class_name: 1.0} if class_name is not None else {}),
            truncation=self.truncation,
            sliders=self.sliders or "",
        )
