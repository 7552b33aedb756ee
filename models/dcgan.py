"""The DCGAN generator and discriminator, unconditional or class-conditional."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn

from models.class_embedding import embed
from models.sphere import on_sphere

UPSAMPLINGS = 4
"""Number of doublings from the start grid to the image: 64 px start at 4x4, 96 px at 6x6, 128 px at 8x8."""

LABEL_DIM = 16
"""Length of a class label's embedding, which is concatenated to z."""


class Generator(nn.Module):
    """Transposed convolutions from a latent to an image.

    Source: Radford et al. 2016; labels as in Mirza and Osindero 2014.
    """

    def __init__(self, resolution: int, latent_dim: int, channels: int, classes: int, sphere: bool = False) -> None:
        super().__init__()
        self.sphere = sphere
        self.embedding = nn.Embedding(classes, LABEL_DIM) if classes else None
        inputs = latent_dim + LABEL_DIM if classes else latent_dim
        widths = [channels * 2**k for k in reversed(range(UPSAMPLINGS))]
        self.start = _upsampling_block(inputs, widths[0], kernel=resolution // 2**UPSAMPLINGS, stride=1, padding=0)
        self.ups = nn.Sequential(*(_upsampling_block(a, b) for a, b in pairwise(widths)))
        self.image = nn.ConvTranspose2d(widths[-1], 3, 4, 2, 1)
        self.apply(_initialise_weights)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Render images.

        Shapes: z (n, latent_dim), labels (n,) int64 if conditional; returns (n, 3, r, r) in [-1, 1].
        """
        if self.sphere:
            z = on_sphere(z)
        if self.embedding is not None:
            z = torch.cat([z, embed(self.embedding, labels)], dim=1)
        images: Tensor = self.image(self.ups(self.start(z[:, :, None, None]))).tanh()
        return images

    def last_layer_parameters(self) -> Iterator[nn.Parameter]:
        """Yield the weights of the last three doublings, which shape strokes rather than the composition."""
        for part in (*self.ups[-2:], self.image):
            yield from part.parameters()


class Discriminator(nn.Module):
    """Strided convolutions from an image to one raw logit.

    A label enters as an extra input plane, or by projection (Miyato and Koyama 2018). Without `norm`, an image's logit
    does not depend on the rest of the batch, as a gradient penalty requires (Gulrajani et al. 2017, section 4).
    """

    def __init__(
        self, resolution: int, channels: int, classes: int, norm: bool = True, projection: bool = False
    ) -> None:
        super().__init__()
        self.resolution = resolution
        planes = classes if not projection else 0
        widths = [channels * 2**k for k in range(UPSAMPLINGS)]
        self.embedding = nn.Embedding(planes, resolution**2) if planes else None
        self.projection = nn.Embedding(classes, widths[-1]) if classes and projection else None
        first = nn.Sequential(nn.Conv2d(4 if planes else 3, widths[0], 4, 2, 1), nn.LeakyReLU(0.2))
        self.downs = nn.Sequential(first, *(_downsampling_block(a, b, norm) for a, b in pairwise(widths)))
        self.logit = nn.Conv2d(widths[-1], 1, resolution // 2**UPSAMPLINGS)
        self.apply(_initialise_weights)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Compute logits. Shapes: (n, 3, r, r) in [-1, 1], labels (n,) int64 if conditional; returns (n,)."""
        if self.embedding is not None:
            plane = self.embedding(labels).view(-1, 1, self.resolution, self.resolution)
            images = torch.cat([images, plane.to(images.dtype)], dim=1)
        features = self.downs(images)
        logits: Tensor = self.logit(features).flatten()
        return logits if self.projection is None else logits + (features.mean((2, 3)) * self.projection(labels)).sum(1)


def _upsampling_block(inputs: int, outputs: int, kernel: int = 4, stride: int = 2, padding: int = 1) -> nn.Sequential:
    # No bias: the batch norm has one.
    convolution = nn.ConvTranspose2d(inputs, outputs, kernel, stride, padding, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


def _downsampling_block(inputs: int, outputs: int, norm: bool) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 4, 2, 1, bias=not norm)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs) if norm else nn.Identity(), nn.LeakyReLU(0.2))


def _initialise_weights(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
