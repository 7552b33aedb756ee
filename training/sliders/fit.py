"""Fits the sliders of a model: least squares from z to measurements of its images."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, one_hot

from models import latents
from models.checkpoint import Header
from models.sliders import Slider, Sliders
from training.samples import render_latents
from training.sliders.measurements import corner_luma, measure, reduce

LEAST_GAIN = 0.3
"""Least share of the variance that z must explain beyond the class, on other images."""
_SAMPLES, _LEAST_SAMPLES = 8192, 2048
_FULL_RESOLUTION = 64
"""Models of more pixels are fitted from fewer images, for the same time."""
_COMPONENTS, _DIRECTIONS = 12, 6
_MOST_ALIKE = 0.9
"""Largest cosine of two sliders. Of two that are more alike, the first one is offered.

A direction is also compared by its effect on the images."""
_LIGHTS = ("light from left", "light from above")
_LEAST_CORNER_STD = 0.05
"""Least standard deviation of the corners' luma for the sliders of light.

Below it, objects stand on a constant background. The same measurements then tell where the object is, not the light.
Measured: 0.007 of emoji-64, 0.184 of faces-64.
"""
_LEAST_STD = 1e-4
"""Least standard deviation of a measurement. Pixels have steps of 0.004."""
_RANGE = 3.0
_DIGITS = 6
_AT_ONCE = 512
_SEED = 2**53 - 1
"""Seed of the samples."""


class _Fit(NamedTuple):
    """A linear function of z and the class. `r2` and `r2_class` are measured on images that it has not seen."""

    vector: Tensor
    r2: float
    r2_class: float

    @property
    def is_useful(self) -> bool:
        """Whether z explains enough beyond the class."""
        return self.r2 - self.r2_class >= LEAST_GAIN and bool(self.vector.isfinite().all())


def fit_sliders(
    header: Header, generator: nn.Module, model_sha256: str, progress: Callable[[int, int], None] = lambda _n, _of: None
) -> Sliders:
    """Return the sliders of a model. The same model on the same machine has the same sliders.

    `progress` receives the number of rendered images and their total.
    """
    count = sample_count(header.resolution)
    z = latents.sample(header.latent_dim, _SEED, range(count))
    labels = torch.arange(count) % max(1, len(header.classes))
    samples = _measure_samples(generator, z, labels if header.classes else None, progress)
    inputs = _Inputs(z.double(), one_hot(labels, max(1, len(header.classes))).double())
    centred = inputs.without_classes(samples.reduced)
    found = [*_attributes(inputs, samples), *_directions(inputs, centred)]
    return Sliders(model=model_sha256, sliders=tuple(_distinct(found, inputs.effects(centred))))


def sample_count(resolution: int) -> int:
    """Return the number of images from which the sliders of a model are fitted."""
    return max(_LEAST_SAMPLES, min(_SAMPLES, _SAMPLES * _FULL_RESOLUTION**2 // resolution**2))


class _Samples(NamedTuple):
    """Measurements by their names, luma of the corners, and reduced images. Shapes: (n,), (n,), (n, k)."""

    values: dict[str, Tensor]
    corners: Tensor
    reduced: Tensor


class _Inputs:
    """z and the classes of all samples. The first half is fitted, and the other half tests the fit."""

    def __init__(self, z: Tensor, classes: Tensor) -> None:
        self.classes, self._half, self._latent_dim = classes, len(z) // 2, z.shape[1]
        self._z = z
        self._all = torch.cat([z, classes], 1)

    def fit(self, values: Tensor) -> _Fit | None:
        """Fit some values of the samples; None if all are equal. Shapes: (n,)."""
        spread = float(values.std())
        if not spread > _LEAST_STD:  # also for NaN
            return None
        values = (values - values.mean()) / spread
        weights, r2 = self._solve(self._all, values)
        _, r2_class = self._solve(self.classes, values)
        vector = weights[: self._latent_dim]
        return _Fit(vector / vector.norm(), r2, r2_class)

    def without_classes(self, values: Tensor) -> Tensor:
        """Subtract the mean of each class. Shapes: (n, k) in and out."""
        means = (self.classes.T @ values) / self.classes.sum(0)[:, None]
        return values - self.classes @ means

    def effects(self, centred: Tensor) -> Tensor:
        """Return the linear effect of each value of z on centred images. Shapes: (n, k); returns (latent_dim, k)."""
        solution: Tensor = torch.linalg.lstsq(self._z, centred).solution
        return solution

    def _solve(self, inputs: Tensor, values: Tensor) -> tuple[Tensor, float]:
        half = self._half
        weights = torch.linalg.lstsq(inputs[:half], values[:half, None]).solution[:, 0]
        errors = values[half:] - inputs[half:] @ weights
        return weights, float(1 - errors.square().mean() / values[half:].var())


def _measure_samples(
    generator: nn.Module, z: Tensor, labels: Tensor | None, progress: Callable[[int, int], None]
) -> _Samples:
    values, corners, reduced = list[dict[str, Tensor]](), list[Tensor](), list[Tensor]()
    for start in range(0, len(z), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        images = render_latents(generator, z[some], None if labels is None else labels[some]).float() / 255
        values.append(dict(measure(images)))
        corners.append(corner_luma(images))
        reduced.append(reduce(images))
        progress(min(len(z), start + _AT_ONCE), len(z))
    together = {name: torch.cat([part[name] for part in values]).double() for name in values[0]}
    return _Samples(together, torch.cat(corners), torch.cat(reduced).double())


def _attributes(inputs: _Inputs, samples: _Samples) -> Iterator[Slider]:
    skipped = _LIGHTS if float(samples.corners.std()) < _LEAST_CORNER_STD else ()
    fits = {name: inputs.fit(each) for name, each in samples.values.items() if name not in skipped}
    for name, fit in fits.items():
        if fit is not None and fit.is_useful:
            yield _slider(name, "attribute", fit)


def _directions(inputs: _Inputs, centred: Tensor) -> Iterator[Slider]:
    """Yield the directions of the principal components of the images, without the differences between classes."""
    # Components of the covariance, since the images are more numerous than their values.
    _, vectors = torch.linalg.eigh(centred.T @ centred)
    for number in range(1, _COMPONENTS + 1):
        component = vectors[:, -number]
        # The sign of an eigenvector is arbitrary. Here more is lighter.
        fit = inputs.fit(centred @ component * (1.0 if component.sum() >= 0 else -1.0))
        if fit is not None and fit.is_useful:
            yield _slider("direction", "direction", fit)


def _distinct(sliders: list[Slider], effects: Tensor) -> Iterator[Slider]:
    """Yield the sliders that are unlike those before them in z and in the images. Directions are numbered."""
    kept, directions = list[Tensor](), 0
    for slider in sliders:
        vector = torch.tensor(slider.vector, dtype=effects.dtype)
        is_direction, effect = slider.kind == "direction", vector @ effects
        is_known = any(
            _are_alike(vector, other) or (is_direction and _are_alike(effect, other @ effects)) for other in kept
        )
        if is_known or (is_direction and directions == _DIRECTIONS):
            continue
        kept.append(vector)
        directions += is_direction
        yield slider.model_copy(update={"name": f"direction {directions}"}) if is_direction else slider


def _are_alike(vector: Tensor, other: Tensor) -> bool:
    return abs(float(cosine_similarity(vector, other, dim=0))) > _MOST_ALIKE


def _slider(name: str, kind: str, fit: _Fit) -> Slider:
    return Slider.model_validate(
        {
            "name": name,
            "kind": kind,
            "r2": round(fit.r2, 3),
            "r2_class": round(fit.r2_class, 3),
            "vector": [round(value, _DIGITS) for value in fit.vector.tolist()],
            "low": -_RANGE,
            "high": _RANGE,
        }
    )
