"""A walk between points: the frames of an animation. docs/points.md defines the point of each frame."""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from worker.contracts.catalog import Sha256
from worker.contracts.points import Atom, Point, round_number

MAX_POINTS = 16
MAX_LENGTH = 100
"""Largest length of a point's weights. It keeps every weight along a walk in the range of weights."""
_LEAST_ANGLE = 1e-3
"""Angle in radians from which on two points count as parallel, and from pi minus which as opposite."""

_Key = TypeVar("_Key")
_Address = tuple[int, int]
_Weights = Mapping[_Address, float]


class _Place(NamedTuple):
    """The place of a frame: between two points of the path that follow each other."""

    before: int
    share: float
    """Share of the second point, from 0 to 1."""


class Walk(BaseModel):
    """Image i of a job is frame i on the way through these points. Each way between two points has as many frames."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    points: tuple[Point, ...] = Field(min_length=2, max_length=MAX_POINTS)
    """The points name their classes if the model has some."""
    loop: bool = False
    """Whether the walk goes back to the first point, which is then not repeated at the end."""
    frames: int = Field(ge=1)
    sliders: Sha256 | None = None
    """Checksum of the file of sliders that the points name."""

    def point(self, seed: int, index: int, class_name: str | None = None) -> Point:  # noqa: ARG002
        """Return the point of a frame. It names its classes itself. Frames after the last one are the last one.

        The last latent has the weight 0. Its index sets the slot at which the frame is drawn.
        """
        before, share = self._place(min(index, self.frames - 1))
        first, second = self.path[before], self.path[before + 1]
        atoms = [Atom(*address, weight) for address, weight in _turn(first, second, share).items() if weight]
        return Point(
            at=(*atoms, Atom(seed, index, 0.0)),
            shift=_mix(first.shift, second.shift, share),
            classes=_mix(_shares(first.classes), _shares(second.classes), share),
            truncation=(1 - share) * first.truncation + share * second.truncation,
            sliders=self.sliders or "",
        )

    def middles(self) -> Iterator[Point]:
        """Yield the point in the middle of each way. Raises ValidationError if it has too many parts."""
        for before in range(len(self.path) - 1):
            count = 2 * (len(self.path) - 1)
            yield Walk(points=self.path, frames=count + 1).point(0, 2 * before + 1)

    @property
    def path(self) -> tuple[Point, ...]:
        """The points in the order of the walk. A loop ends with the first one."""
        return (*self.points, *self.points[: int(self.loop)])

    def _place(self, frame: int) -> _Place:
        """Return the place of a frame. Whole numbers keep it free of rounding errors."""
        ways, steps = len(self.path) - 1, max(1, self.frames - (not self.loop))
        before, rest = divmod(frame * ways, steps)
        return _Place(ways - 1, 1.0) if before == ways else _Place(before, rest / steps)


def length_of(point: Point) -> float:
    """Return the length of a point's weights, as if its latents were orthogonal."""
    return math.hypot(*_weights(point).values())


def _turn(first: Point, second: Point, share: float) -> _Weights:
    """Return the weights between two points: great-circle interpolation (Shoemake, 1985).

    Different addresses count as orthogonal. The length lies on the straight line between both lengths. Parallel and
    opposite points have no great circle of their own, so that their weights lie on a straight line.
    """
    one, other = _weights(first), _weights(second)
    lengths = length_of(first), length_of(second)
    product = sum(weight * other.get(address, 0.0) for address, weight in one.items())
    angle = math.acos(min(1.0, max(-1.0, product / (lengths[0] * lengths[1] or 1.0))))
    factors = (1 - share, share)
    if _LEAST_ANGLE <= angle <= math.pi - _LEAST_ANGLE and all(lengths):
        length = (factors[0] * lengths[0] + factors[1] * lengths[1]) / math.sin(angle)
        turned = [length * math.sin(factor * angle) for factor in factors]
        factors = (turned[0] / lengths[0], turned[1] / lengths[1])
    return _add(one, factors[0], other, factors[1])


def _weights(point: Point) -> _Weights:
    """Return the weights of a point by the addresses of its latents. Equal addresses become one."""
    sums = dict[_Address, float]()
    for seed, index, weight in point.at:
        sums[seed, index] = sums.get((seed, index), 0.0) + weight
    return sums


def _shares(classes: Mapping[str, float]) -> dict[str, float]:
    total = sum(classes.values())
    return {name: weight / total for name, weight in classes.items()}


def _mix(first: Mapping[str, float], second: Mapping[str, float], share: float) -> dict[str, float]:
    return dict(_add(first, 1 - share, second, share))


def _add(first: Mapping[_Key, float], factor: float, second: Mapping[_Key, float], other: float) -> dict[_Key, float]:
    """Return a weighted sum, rounded like the numbers of a point."""
    keys = dict.fromkeys((*first, *second))
    return {key: round_number(factor * first.get(key, 0.0) + other * second.get(key, 0.0)) for key in keys}
