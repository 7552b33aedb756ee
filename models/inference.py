"""Generators rewritten for inference: the same function, up to rounding, in fewer and faster operations."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, pixel_shuffle
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models import dcgan
from models.class_embedding import embed
from models.sphere import on_sphere

TAPS = {0: {-1: 3, 0: 1}, 1: {0: 2, 1: 0}}
"""Kernel rows of a transposed convolution with kernel 4, stride 2 and padding 1.

For an even (0) or odd (1) output row, maps the offset of each input row that contributes to its row of the kernel.
"""


def for_inference(generator: nn.Module) -> nn.Module:
    """Rewrite a DCGAN generator in eval mode for inference. Other generators are returned unchanged."""
    return InferenceDcgan(generator) if isinstance(generator, dcgan.Generator) else generator


class InferenceDcgan(nn.Module):
    """A DCGAN generator whose batch norms are folded into the convolutions before them.

    The first layer, a transposed convolution of one pixel, is computed as a matrix product. The last layer computes
    2 x 2 pixels at once from 3 x 3 inputs (Shi et al. 2016, section 3.2), which is the faster way.
    """

    def __init__(self, generator: dcgan.Generator) -> None:
        super().__init__()
        self.sphere, self.embedding = generator.sphere, generator.embedding
        start = _fold_batch_norm(generator.start)
        self.grid, self.channels = start.kernel_size[0], start.out_channels
        self.start = nn.Parameter(start.weight.permute(2, 3, 1, 0).flatten(0, 2).contiguous())
        self.bias = nn.Parameter(cast(Tensor, start.bias).repeat(self.grid**2))
        ups = (_fold_batch_norm(cast(nn.Sequential, up)) for up in generator.ups)
        self.ups = nn.Sequential(*(nn.Sequential(up, nn.ReLU(inplace=True)) for up in ups))
        self.image = _to_subpixel_convolution(generator.image)

    @property
    def layers(self) -> tuple[nn.Module, ...]:
        """Layers from the start grid to the image, before the pixels are shuffled."""
        return (*self.ups, self.image)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Render images. Shapes: as for the generator."""
        return self.images(self.grids(z, labels))

    def grids(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Compute the start grids of images. Shapes: z and labels as for the generator; returns (n, channels, g, g)."""
        if self.sphere:
            z = on_sphere(z)
        if self.embedding is not None:
            z = torch.cat([z, embed(self.embedding, labels)], dim=1)
        grid = linear(z, self.start, self.bias).relu_()
        return grid.view(-1, self.grid, self.grid, self.channels).permute(0, 3, 1, 2)

    def images(self, grids: Tensor) -> Tensor:
        """Compute images from their start grids. Shapes: (n, channels, g, g); returns (n, 3, r, r) in [-1, 1]."""
        return pixel_shuffle(self.image(self.ups(grids)), 2).tanh_()


def _fold_batch_norm(up: nn.Sequential) -> nn.ConvTranspose2d:
    """Fold a batch norm into the weights of the convolution before it."""
    convolution, norm, _ = up
    return fuse_conv_bn_eval(cast(nn.ConvTranspose2d, convolution), cast(nn.BatchNorm2d, norm), transpose=True)


@torch.no_grad()
def _to_subpixel_convolution(up: nn.ConvTranspose2d) -> nn.Conv2d:
    """Rewrite the last layer's transposed convolution as an ordinary one with four times as many channels."""
    inputs, outputs = up.in_channels, up.out_channels
    subpixel = nn.Conv2d(inputs, 4 * outputs, 3, padding=1)
    weight = torch.zeros(outputs, 2, 2, inputs, 3, 3)
    for row, rows in TAPS.items():
        for column, columns in TAPS.items():
            for dy, y in rows.items():
                for dx, x in columns.items():
                    weight[:, row, column, :, dy + 1, dx + 1] = up.weight[:, :, y, x].T
    subpixel.weight.copy_(weight.flatten(0, 2))
    cast(Tensor, subpixel.bias).copy_(cast(Tensor, up.bias).repeat_interleave(4))
    return subpixel
