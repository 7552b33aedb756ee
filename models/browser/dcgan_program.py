"""The program of a DCGAN generator: each transposed convolution becomes four small ones, one for each parity."""

from typing import cast

import torch
from torch import Tensor, nn

from models import dcgan
from models.browser.program import NO_ACTIVATION, RELU, Address, Plane, Program, ordered_taps, strides
from models.inference import TAPS, InferenceDcgan


def add_dcgan(program: Program, generator: dcgan.Generator, source: Address, image: Address) -> None:
    """Append the calls that turn z and a class embedding into pixels."""
    folded = InferenceDcgan(generator)
    plane = _add_start(program, folded, source)
    for up in folded.ups:
        plane = _add_doubling(program, cast(nn.ConvTranspose2d, cast(nn.Sequential, up)[0]), plane)
    channels = folded.image.out_channels
    quads = program.buffer(plane.side**2 * channels)
    weight, bias = folded.image.weight.permute(2, 3, 1, 0), cast(Tensor, folded.image.bias)
    program.convolve(plane, (-1, -1), weight, bias, quads, (plane.side * channels, channels), NO_ACTIVATION)
    program.call("paint_quads", quads, plane.side, image)


def _add_start(program: Program, folded: InferenceDcgan, source: Address) -> Plane:
    plane = program.plane(folded.grid, folded.channels)
    # One call for each row, because the border separates the rows.
    weights, biases = folded.start.chunk(folded.grid), folded.bias.chunk(folded.grid)
    for y, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        program.linear(source, plane.pixel(y, 0), weight, bias, RELU)
    return plane


def _add_doubling(program: Program, up: nn.ConvTranspose2d, source: Plane) -> Plane:
    target = program.plane(2 * source.side, up.out_channels)
    for row, row_taps in TAPS.items():
        for column, column_taps in TAPS.items():
            (y, rows), (x, columns) = ordered_taps(row_taps), ordered_taps(column_taps)
            weight = up.weight[:, :, torch.tensor(rows)][..., torch.tensor(columns)].permute(2, 3, 0, 1)
            bias = cast(Tensor, up.bias)
            program.convolve(source, (y, x), weight, bias, target.pixel(row, column), strides(target, 2), RELU)
    return target
