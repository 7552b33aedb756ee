"""The standard mode: each image is optimised until it has its own content and a painting's style.

Source: Gatys et al. 2016, over whole batches and from coarse to fine. The losses of images are added, never averaged,
and Adam treats every pixel alone: what becomes of an image does not depend on the images beside it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from worker.errors import DivergedError
from worker.style import losses
from worker.style.vgg import LEAST_SIDE, Vgg19

_BETAS = (0.9, 0.99)
_TRIES = 3
_FINER = 2
"""Between two sizes."""
_LUMA = (0.299, 0.587, 0.114)
"""Of RGB in brightness. Source: ITU-R BT.601."""

Watch = Callable[[int, float], bool]
"""Is told the steps done and the mean loss of the images; False stops."""


class StoppedError(Exception):
    """Whoever watched wanted no more."""


@dataclass(frozen=True)
class Settings:
    """How images are optimised; `style_weight` is what a strength of 1 stands for."""

    steps: int = 60
    """At the largest size; half of them more at each smaller one."""
    rate: float = 0.03
    style_weight: float = 5.0
    tv_weight: float = 0.1
    content_layer: str = "relu3_1"
    style_layers: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType(
            {"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0, "relu4_1": 1.0, "relu5_1": 0.5}
        )
    )
    coarsest: int = 256
    """Longer side, in pixels, at which larger images begin."""
    least: int = 128
    """Longer side, in pixels, at which smaller images are looked at."""
    keep_colours: bool = False


class Transfer:
    """Gives images the style of one picture."""

    def __init__(self, network: Vgg19, picture: Tensor, settings: Settings) -> None:
        """Take a style picture. Shape: (3, h, w) in [0, 1]."""
        self._network = network
        self._picture = picture[None]
        self._settings = settings
        self._style_layers = frozenset(settings.style_layers)
        self._wanted = self._style_layers | {settings.content_layer}
        self._grams: dict[int, dict[str, Tensor]] = {}

    def apply(self, images: Tensor, strength: float, watch: Watch) -> Tensor:
        """Style images. Shapes: (n, 3, h, w) in [0, 1], in and out. Raises DivergedError or StoppedError."""
        rate = self._settings.rate
        for _ in range(_TRIES):
            styled = self._optimised(images, strength, rate, watch)
            if styled.isfinite().all():
                return self._recoloured(styled, images) if self._settings.keep_colours else styled
            rate /= 2
        raise DivergedError(f"style transfer came to values that are no numbers, {_TRIES} times")

    def losses(self, images: Tensor, styled: Tensor) -> tuple[Tensor, Tensor]:
        """Judge styled images by content and by style, without weights. Shapes: (n, 3, h, w); returns (n,) each."""
        with torch.no_grad():
            contents = self._content(images)
            features = self._network(self._seen(styled), self._wanted)
            return self._terms(features, contents, max(images.shape[2:]))

    def steps(self, side: int) -> int:
        """Count the steps that images of a side take."""
        return sum(count for _, count in self._plan(side))

    def _plan(self, side: int) -> list[tuple[int, int]]:
        """List sizes, coarse to fine, and the steps at each."""
        sides = [side]
        while sides[0] > self._settings.coarsest:
            sides.insert(0, max(self._settings.coarsest, sides[0] // _FINER))
        return [(k, self._settings.steps if k == side else self._settings.steps * 3 // 2) for k in sides]

    def _optimised(self, images: Tensor, strength: float, rate: float, watch: Watch) -> Tensor:
        styled, done = images, 0
        for side, steps in self._plan(max(images.shape[2:])):
            content = _resized(images, side)
            styled = _resized(styled, side).clone().requires_grad_()
            contents = self._content(content)
            optimiser = torch.optim.Adam([styled], lr=rate, betas=_BETAS)
            for _ in range(steps):
                optimiser.zero_grad()
                loss = self._loss(styled, contents, side, strength)
                loss.sum().backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                with torch.no_grad():
                    styled.clamp_(0, 1)
                done += 1
                if not watch(done, float(loss.detach().mean())):
                    raise StoppedError
            styled = styled.detach()
        return styled

    def _loss(self, styled: Tensor, contents: Tensor, side: int, strength: float) -> Tensor:
        settings = self._settings
        features = self._network(self._seen(styled), self._wanted)
        content, style = self._terms(features, contents, side)
        smooth = settings.tv_weight * losses.total_variation(styled)
        return content + strength * (settings.style_weight * style + smooth)

    def _terms(self, features: Mapping[str, Tensor], contents: Tensor, side: int) -> tuple[Tensor, Tensor]:
        content = losses.relative(features[self._settings.content_layer], contents)
        return content, losses.style(features, self._targets(side), self._settings.style_layers)

    @torch.no_grad()
    def _content(self, images: Tensor) -> Tensor:
        layer = self._settings.content_layer
        features: dict[str, Tensor] = self._network(self._seen(images), frozenset({layer}))
        return features[layer]

    @torch.no_grad()
    def _targets(self, side: int) -> dict[str, Tensor]:
        """Find the style's Gram matrices at the size at which images are looked at."""
        looked = self._looked(side)
        if looked not in self._grams:
            features = self._network(_resized(self._picture, looked), self._style_layers)
            self._grams[looked] = {name: losses.gram(found) for name, found in features.items()}
        return self._grams[looked]

    def _looked(self, side: int) -> int:
        return max(side, self._settings.least)

    def _seen(self, images: Tensor) -> Tensor:
        return _resized(images, self._looked(max(images.shape[2:])))

    @staticmethod
    def _recoloured(styled: Tensor, images: Tensor) -> Tensor:
        """Take the brightness of one picture and the colours of another."""
        weights = torch.tensor(_LUMA, device=images.device).view(3, 1, 1)
        return (images + ((styled - images) * weights).sum(1, keepdim=True)).clamp(0, 1)


def _resized(images: Tensor, side: int) -> Tensor:
    """Give images another longer side. Shapes: (n, 3, h, w) in and out."""
    height, width = images.shape[2:]
    if side == max(height, width):
        return images
    scale = side / max(height, width)
    shape = [max(LEAST_SIDE, round(height * scale)), max(LEAST_SIDE, round(width * scale))]
    made: Tensor = interpolate(images, shape, mode="bilinear", antialias=side < max(height, width), align_corners=False)
    return made
