"""The standard mode of style transfer: optimises the pixels of each image for its content and a picture's style.

Source: Gatys et al. 2016, for batches, and from coarse to fine sizes. The losses of images are added, not averaged,
and Adam updates each pixel by itself, so an image's result does not depend on the other images of its batch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from models.cuda_graph import RecordedWork
from worker.errors import DivergedError
from worker.style import losses
from worker.style.repeatable import enlarge
from worker.style.vgg import MIN_SIDE, Vgg19

_BETAS = (0.9, 0.99)
_MAX_TRIES = 3
_SIZE_FACTOR = 2
"""Factor between two sizes."""
_SIMILARITY_LAYER = "relu4_1"
"""Layer whose features say how similar two images are. It is deep enough to depend on content, not only on places."""
_LUMA = (0.299, 0.587, 0.114)
"""Weights of R, G and B in the brightness. Source: ITU-R BT.601."""

Shape = tuple[int, int]
"""Height and width, in pixels."""
OnStep = Callable[[int], bool]
"""Called with the number of steps done: on a CPU after each step, on a GPU after every tenth. False stops."""
_STEPS_BETWEEN_CALLS = {"cpu": 1, "cuda": 10}
"""On a GPU, steps take less than a millisecond, and are computed after this program has gone on."""


class StoppedError(Exception):
    """The callback stopped the optimisation."""


@dataclass(frozen=True)
class GatysSettings:
    """Settings of the optimisation."""

    steps: int = 60
    """Number of steps at the largest size. Each smaller size takes half as many again."""
    learning_rate: float = 0.03
    """Learning rate, in units of the pixel range [0, 1]."""
    style_weight: float = 5.0
    """Weight of the style loss at a strength of 1."""
    tv_weight: float = 0.1
    """Weight of the total variation at a strength of 1."""
    content_layer: str = "relu3_1"
    style_layers: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType(
            {"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0, "relu4_1": 1.0, "relu5_1": 0.5}
        )
    )
    coarsest_side: int = 256
    """Longer side of the coarsest size, in pixels. Smaller images have only one size."""
    min_side: int = 128
    """Longer side, in pixels, to which smaller images are enlarged before their features are computed."""
    keep_colours: bool = False
    """True if images keep their colours and take only the brightness of the result."""


class StyleTransfer:
    """Transfers the style of one picture to images."""

    def __init__(self, network: Vgg19, picture: Tensor, settings: GatysSettings) -> None:
        """Prepare the style of a picture. Shape: (3, h, w) in [0, 1]."""
        self._network = network
        self._picture = picture[None]
        self._settings = settings
        self._style_layers = frozenset(settings.style_layers)
        self._layers = self._style_layers | {settings.content_layer, _SIMILARITY_LAYER}
        self._grams: dict[int, dict[str, Tensor]] = {}

    def apply(self, images: Tensor, strength: float, on_step: OnStep) -> Tensor:
        """Return styled images. Shapes: (n, 3, h, w) in [0, 1], in and out. Raises DivergedError or StoppedError."""
        if strength == 0:
            return images.clone()
        learning_rate = self._settings.learning_rate
        for _ in range(_MAX_TRIES):
            styled = self._optimise(images, strength, learning_rate, on_step)
            if styled.isfinite().all():
                return self._keep_colours(styled, images) if self._settings.keep_colours else styled
            learning_rate /= 2  # a smaller learning rate usually converges where a larger one diverged
        raise DivergedError(f"style transfer diverged (NaN or infinity) {_MAX_TRIES} times")

    def losses(self, images: Tensor, styled: Tensor) -> tuple[Tensor, Tensor]:
        """Return the unweighted losses of content and of style. Shapes: (n, 3, h, w); returns (n,) each."""
        with torch.no_grad():
            contents = self._content_features(images)
            features = self._network(self._network_input(styled), self._layers)
            return self._loss_terms(features, contents, _shape_of(images))

    def objective(self, images: Tensor, styled: Tensor, strength: float) -> tuple[Tensor, Tensor]:
        """Return the loss that the optimisation minimises, and the unit features, with gradients for `styled`.

        Shapes: (n, 3, h, w); returns (n,) and (n, d).
        """
        features = self._network(self._network_input(styled), self._layers)
        loss = self._total_loss(features, styled, self._content_features(images), strength)
        return loss, losses.unit_features(features[_SIMILARITY_LAYER])

    def unit_features(self, images: Tensor) -> Tensor:
        """Return features as unit vectors, whose dot product is the similarity of two images. Shape: (n, d)."""
        return losses.unit_features(self._layer_features(images, _SIMILARITY_LAYER))

    def steps(self, height: int, width: int) -> int:
        """Return the number of steps that the optimisation of an image takes, over all sizes."""
        return sum(count for _, count in self._plan((height, width)))

    def _plan(self, shape: Shape) -> list[tuple[Shape, int]]:
        """Return the sizes, coarse to fine, and the steps at each."""
        steps, sides = self._settings.steps, [max(shape)]
        while sides[0] > self._settings.coarsest_side:
            sides.insert(0, max(self._settings.coarsest_side, sides[0] // _SIZE_FACTOR))
        return [*((_scale_shape(shape, side), steps * 3 // 2) for side in sides[:-1]), (shape, steps)]

    def _optimise(self, images: Tensor, strength: float, learning_rate: float, on_step: OnStep) -> Tensor:
        # A fused optimiser needs images and gradients in one memory order.
        layout = torch.contiguous_format if images.is_cuda else torch.preserve_format
        styled, done, calls_after = images, 0, _STEPS_BETWEEN_CALLS[images.device.type]
        for shape, steps in self._plan(_shape_of(images)):
            # Each size starts from the result of the coarser one; the content target is always the original image.
            styled = _resize(styled, shape).clone(memory_format=layout).requires_grad_()
            contents = self._content_features(_resize(images, shape))
            self._style_grams(max(self._network_shape(shape)))  # before a step is recorded
            step = self._new_step(styled, contents, strength, learning_rate)
            for number in range(1, steps + 1):
                step()
                if number % calls_after == 0 and not on_step(done + number):
                    raise StoppedError
            done += steps
            styled = styled.detach()
        return styled

    def _new_step(
        self, styled: Tensor, contents: Tensor, strength: float, learning_rate: float
    ) -> Callable[[], Tensor]:
        """Return a function that takes one step, without waiting for the device. It returns the image losses (n,)."""
        is_gpu = styled.is_cuda
        optimiser = torch.optim.Adam([styled], lr=learning_rate, betas=_BETAS, fused=is_gpu, capturable=is_gpu)

        def take_step() -> Tensor:
            optimiser.zero_grad()
            loss = self._loss(styled, contents, strength)
            loss.sum().backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            with torch.no_grad():
                styled.clamp_(0, 1)
            return loss

        return RecordedWork(take_step) if is_gpu else take_step

    def _loss(self, styled: Tensor, contents: Tensor, strength: float) -> Tensor:
        return self._total_loss(self._network(self._network_input(styled), self._layers), styled, contents, strength)

    def _total_loss(self, features: Mapping[str, Tensor], styled: Tensor, contents: Tensor, strength: float) -> Tensor:
        settings = self._settings
        content, style = self._loss_terms(features, contents, _shape_of(styled))
        smooth = settings.tv_weight * losses.total_variation(styled)
        return content + strength * (settings.style_weight * style + smooth)

    def _loss_terms(self, features: Mapping[str, Tensor], contents: Tensor, shape: Shape) -> tuple[Tensor, Tensor]:
        content = losses.relative(features[self._settings.content_layer], contents)
        return content, losses.style(
            features, self._style_grams(max(self._network_shape(shape))), self._settings.style_layers
        )

    def _content_features(self, images: Tensor) -> Tensor:
        return self._layer_features(images, self._settings.content_layer)

    @torch.no_grad()
    def _layer_features(self, images: Tensor, layer: str) -> Tensor:
        features: dict[str, Tensor] = self._network(self._network_input(images), frozenset({layer}))
        return features[layer]

    @torch.no_grad()
    def _style_grams(self, side: int) -> dict[str, Tensor]:
        """Return the Gram matrices of the style picture, scaled to a longer side of `side` pixels."""
        # Two threads may compute the same entry. Both get equal values, so no lock is needed.
        if side not in self._grams:
            picture = _resize(self._picture, _scale_shape(_shape_of(self._picture), side))
            features = self._network(picture, self._style_layers)
            self._grams[side] = {name: losses.gram(found) for name, found in features.items()}
        return self._grams[side]

    def _network_shape(self, shape: Shape) -> Shape:
        return shape if max(shape) >= self._settings.min_side else _scale_shape(shape, self._settings.min_side)

    def _network_input(self, images: Tensor) -> Tensor:
        return _resize(images, self._network_shape(_shape_of(images)))

    @staticmethod
    def _keep_colours(styled: Tensor, images: Tensor) -> Tensor:
        """Combine the brightness of the styled images with the colours of the original ones."""
        # Adding the same difference to R, G and B changes the brightness (BT.601) and keeps the colour differences.
        weights = torch.tensor(_LUMA, device=images.device).view(3, 1, 1)
        return (images + ((styled - images) * weights).sum(1, keepdim=True)).clamp(0, 1)


def _shape_of(images: Tensor) -> Shape:
    height, width = images.shape[2:]
    return height, width


def _scale_shape(shape: Shape, side: int) -> Shape:
    """Return a shape with another longer side; the shorter side stays large enough for VGG19."""
    scale = side / max(shape)
    height, width = (max(MIN_SIDE, round(length * scale)) for length in shape)
    return height, width


def _resize(images: Tensor, shape: Shape) -> Tensor:
    """Resize images. Shapes: (n, 3, ...) in, (n, 3, *shape) out."""
    if shape == _shape_of(images):
        return images
    is_smaller = shape < _shape_of(images)
    if images.is_cuda and images.requires_grad and not is_smaller:
        return enlarge(images, shape)
    resized: Tensor = interpolate(images, list(shape), mode="bilinear", antialias=is_smaller, align_corners=False)
    return resized
