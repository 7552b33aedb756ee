"""The residual generator and discriminator: bilinear resampling, no normalisation, for runs with a penalty."""

import math
from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu

from models.class_embedding import embed
from models.sphere import on_sphere

SLOPE = 0.2
"""Slope of the leaky ReLU below zero."""
SUM_SCALE = math.sqrt(0.5)
"""Factor that keeps the variance of the sum of two paths."""
_GAIN = math.sqrt(2 / (1 + SLOPE**2))
"""Gain that keeps the variance through a leaky ReLU. Source: He et al. 2015, equation 15."""
_STYLE_DIM, _FEATURE_DIM = 128, 256
_MAX_WIDTH_FACTOR = 4
"""Channels of the widest layer, as a multiple of those of the layer nearest to the image."""


def halvings(resolution: int) -> int:
    """Return the number of halvings from the image to its start grid: until its side is odd or under 8."""
    count = 0
    while resolution % 2 == 0 and resolution >= 8:
        resolution, count = resolution // 2, count + 1
    return count


def widths(resolution: int, channels: int) -> list[int]:
    """Return the channels of each level, from half the image's resolution down to the start grid."""
    return [channels * min(2**level, _MAX_WIDTH_FACTOR) for level in range(halvings(resolution))]


class Generator(nn.Module):
    """Residual blocks from a start grid to an image. z and the class scale the channels of every block.

    Sources: He et al. 2016 (residual blocks); Karras et al. 2019 (one style for all levels).
    """

    def __init__(self, resolution: int, latent_dim: int, channels: int, classes: int, sphere: bool) -> None:
        super().__init__()
        wide_to_narrow = widths(resolution, channels)[::-1]
        inputs = 2 * latent_dim if classes else latent_dim
        self.sphere = sphere
        self.grid = (wide_to_narrow[0], *[resolution >> halvings(resolution)] * 2)
        self.embedding = nn.Embedding(classes, latent_dim) if classes else None
        self.style = _linear(inputs, _STYLE_DIM, _GAIN)
        self.start = _linear(inputs, math.prod(self.grid), 1.0)
        self.blocks = nn.ModuleList(UpsamplingBlock(a, b) for a, b in pairwise(wide_to_narrow))
        self.image = _convolution(wide_to_narrow[-1], 3, 3, 1.0)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Render images.

        Shapes: z (n, latent_dim), labels (n,) int64 if conditional; returns (n, 3, r, r). Values are clamped to [-1, 1]
        in eval mode only, since a clamp would stop gradients in training.
        """
        if self.sphere:
            z = on_sphere(z)
        if self.embedding is not None:
            z = torch.cat([z, embed(self.embedding, labels)], dim=1)
        style = _activate(self.style(z))
        x = _activate(self.start(z)).view(-1, *self.grid).contiguous(memory_format=torch.channels_last)
        for block in self.blocks:
            x = block(x, style)
        images: Tensor = self.image(_upsample(x))
        return images if self.training else images.clamp(-1, 1)

    def last_layer_parameters(self) -> Iterator[nn.Parameter]:
        """Yield the weights of the last three doublings, which shape strokes rather than the composition."""
        for part in (*self.blocks[-2:], self.image):
            yield from part.parameters()


class Discriminator(nn.Module):
    """Residual blocks from an image to one raw logit; a class enters by projection.

    Sources: He et al. 2016; Miyato and Koyama 2018, equation 4.
    """

    def __init__(self, resolution: int, channels: int, classes: int) -> None:
        super().__init__()
        narrow_to_wide = widths(resolution, channels)
        widest, side = narrow_to_wide[-1], resolution >> halvings(resolution)
        self.stem = _convolution(3, channels, 4, _GAIN, stride=2, padding=1)
        self.blocks = nn.ModuleList(_DownsamplingBlock(a, b) for a, b in pairwise(narrow_to_wide))
        self.last = _convolution(widest, widest, 3, _GAIN)
        self.features = _linear(widest * side**2, _FEATURE_DIM, _GAIN)
        self.logit = _linear(_FEATURE_DIM, 1, 1.0)
        self.embedding = nn.Embedding(classes, _FEATURE_DIM) if classes else None
        if self.embedding is not None:
            nn.init.normal_(self.embedding.weight, 0, 1 / math.sqrt(_FEATURE_DIM))

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Compute logits. Shapes: (n, 3, r, r) in [-1, 1], labels (n,) int64 if conditional; returns (n,)."""
        x = _activate(self.stem(images))
        for block in self.blocks:
            x = block(x)
        features = _activate(self.features(_activate(self.last(x)).flatten(1)))
        logits: Tensor = self.logit(features).flatten()
        return logits if self.embedding is None else logits + (features * self.embedding(labels)).sum(1)


def upsample_repeatably(x: Tensor) -> Tensor:
    """Double the side by bilinear interpolation, with gradients whose sums have one order; PyTorch's vary on a GPU.

    Shapes: (n, c, h, w); returns (n, c, 2 h, 2 w).
    """
    return _double(_double(x, 2), 3)


class UpsamplingBlock(nn.Module):
    """Doubles the side. The first convolution runs before the doubling, for a quarter of the work."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.scale_before, self.scale_after = _style_scale(inputs), _style_scale(outputs)
        self.before = _convolution(inputs, outputs, 3, _GAIN)
        self.after = _convolution(outputs, outputs, 3, _GAIN)
        self.skip = _skip(inputs, outputs)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Double the side. Shapes: (n, inputs, s, s) and (n, 128); returns (n, outputs, 2 s, 2 s)."""
        y = _activate(self.before(x * (1 + self.scale_before(style))[:, :, None, None]))
        y = _activate(self.after(_upsample(y) * (1 + self.scale_after(style))[:, :, None, None]))
        return (_upsample(self.skip(x)) + y) * SUM_SCALE


class _DownsamplingBlock(nn.Module):
    """Halves the side: the counterpart of `UpsamplingBlock`."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.before = _convolution(inputs, inputs, 3, _GAIN)
        self.after = _convolution(inputs, outputs, 3, _GAIN)
        self.skip = _skip(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = _activate(self.after(avg_pool2d(_activate(self.before(x)), 2)))
        x = self.skip(avg_pool2d(x, 2))
        return (x + y) * SUM_SCALE


def _activate(x: Tensor) -> Tensor:
    return leaky_relu(x, SLOPE)


def _upsample(x: Tensor) -> Tensor:
    if x.is_cuda and x.requires_grad and torch.backends.cudnn.deterministic:
        return upsample_repeatably(x)
    return interpolate(x, scale_factor=2.0, mode="bilinear")


def _double(x: Tensor, axis: int) -> Tensor:
    """Double the length of an axis by linear interpolation with half-pixel centres."""
    length = x.shape[axis]
    first, last = x.narrow(axis, 0, 1), x.narrow(axis, length - 1, 1)
    before = torch.cat([first, x.narrow(axis, 0, length - 1)], axis)
    after = torch.cat([x.narrow(axis, 1, length - 1), last], axis)
    pairs = torch.stack([0.25 * before + 0.75 * x, 0.75 * x + 0.25 * after], axis + 1)
    return pairs.flatten(axis, axis + 1)


def _convolution(inputs: int, outputs: int, kernel: int, gain: float, stride: int = 1, padding: int = 1) -> nn.Conv2d:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding)
    nn.init.normal_(convolution.weight, 0, gain / math.sqrt(inputs * kernel**2))
    nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
    return convolution


def _linear(inputs: int, outputs: int, gain: float) -> nn.Linear:
    linear = nn.Linear(inputs, outputs)
    nn.init.normal_(linear.weight, 0, gain / math.sqrt(inputs))
    nn.init.zeros_(linear.bias)
    return linear


def _style_scale(channels: int) -> nn.Linear:
    return _linear(_STYLE_DIM, channels, 0.5)


def _skip(inputs: int, outputs: int) -> nn.Module:
    if inputs == outputs:
        return nn.Identity()
    skip = nn.Conv2d(inputs, outputs, 1, bias=False)
    nn.init.normal_(skip.weight, 0, 1 / math.sqrt(inputs))
    return skip
