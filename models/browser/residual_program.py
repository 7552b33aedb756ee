"""The program of a residual generator. Constant factors are folded into the weights around them."""

from typing import cast

import torch
from torch import Tensor, nn

from models import residual
from models.browser.program import NO_ACTIVATION, Address, Plane, Program, strides

_COLOURS = 4
"""Channels of the last convolution: three colours, and one of zeros that fills the vector register."""


def add_residual(program: Program, generator: residual.Generator, source: Address, image: Address) -> None:
    """Append the calls that turn z and a class embedding into pixels."""
    style = program.buffer(generator.style.out_features)
    _add_linear(program, generator.style, source, style, residual.SLOPE)
    plane = _add_start(program, generator, source)
    for block in generator.blocks:
        plane = _add_block(program, cast(residual.UpsamplingBlock, block), plane, style)
    full = program.plane(2 * plane.side, plane.channels)
    _add_upsampling(program, plane, _ones(program, plane), full)
    weight = torch.zeros(_COLOURS, plane.channels, 3, 3)
    weight[:3], bias = generator.image.weight, torch.zeros(_COLOURS)
    bias[:3] = cast(Tensor, generator.image.bias)
    colours = program.buffer(full.side**2 * _COLOURS)
    target = (full.side * _COLOURS, _COLOURS)
    program.convolve(full, (-1, -1), weight.permute(2, 3, 1, 0), bias, colours, target, NO_ACTIVATION)
    program.call("paint_pixels", colours, full.side**2, image)


def _add_start(program: Program, generator: residual.Generator, source: Address) -> Plane:
    channels, side, _ = generator.grid
    plane = program.plane(side, channels)
    # The rows of the matrix are in the order (channel, y, x); those of the plane are in the order (y, x, channel).
    weight = generator.start.weight.view(channels, side, side, -1).permute(1, 2, 0, 3).flatten(1, 2)
    bias = generator.start.bias.view(channels, side, side).permute(1, 2, 0).flatten(1, 2)
    for y in range(side):  # one call for each row, because the border separates the rows
        program.linear(source, plane.pixel(y, 0), weight[y], bias[y], residual.SLOPE)
    return plane


def _add_block(program: Program, block: residual.UpsamplingBlock, source: Plane, style: Address) -> Plane:
    outputs = block.after.out_channels
    scaled, before = program.plane(source.side, source.channels), program.plane(source.side, outputs)
    doubled, target = program.plane(2 * source.side, outputs), program.plane(2 * source.side, outputs)
    factors = _add_factors(program, block.scale_before, style)
    program.call("scale", source.corner, source.size // source.channels, source.channels, factors, scaled.corner)
    _add_convolution(program, block.before, scaled, before)
    _add_upsampling(program, before, _add_factors(program, block.scale_after, style), doubled)
    # A leaky ReLU of x / k is that of x, divided by k. So the factor of the sum can be in the weights.
    _add_convolution(program, block.after, doubled, target, residual.SUM_SCALE)
    skipped = source
    if isinstance(block.skip, nn.Conv2d):
        skipped = program.plane(source.side, outputs)
        weight = block.skip.weight.permute(2, 3, 1, 0)
        program.convolve(
            source, (0, 0), weight, torch.zeros(outputs), skipped.pixel(0, 0), strides(skipped), NO_ACTIVATION
        )
    _add_upsampling(program, skipped, _ones(program, target, residual.SUM_SCALE), target, is_added=True)
    return target


def _add_factors(program: Program, layer: nn.Linear, style: Address) -> Address:
    """Append the computation of the factors of all channels: one plus a linear function of the style."""
    factors = program.buffer(layer.out_features)
    program.linear(style, factors, layer.weight, layer.bias + 1, NO_ACTIVATION)
    return factors


def _add_linear(program: Program, layer: nn.Linear, source: Address, target: Address, slope: float) -> None:
    program.linear(source, target, layer.weight, layer.bias, slope)


def _add_convolution(program: Program, layer: nn.Conv2d, source: Plane, target: Plane, factor: float = 1) -> None:
    weight, bias = layer.weight.permute(2, 3, 1, 0) * factor, cast(Tensor, layer.bias) * factor
    program.convolve(source, (-1, -1), weight, bias, target.pixel(0, 0), strides(target), residual.SLOPE)


def _add_upsampling(
    program: Program, source: Plane, factors: Address, target: Plane, *, is_added: bool = False
) -> None:
    program.call("upsample", source.corner, source.side, source.channels, factors, target.corner, int(is_added))


def _ones(program: Program, plane: Plane, factor: float = 1) -> Address:
    return program.constant(torch.full((plane.channels,), factor))
