"""The program of one image for the engine in the browser: calls of its kernels, and the weights that they read.

The kernels and their arguments are those of `app/ui/live/engine.c`. Memory is an array of floats in three sections:
constants, weights and buffers. weights-1.bin holds the constants as float32 and the weights as int16, little-endian.
The weights of each output channel have a scale, which makes them about six times as accurate as fp16 of that size.
"""

from collections.abc import Sequence
from itertools import takewhile
from typing import Literal, NamedTuple, cast

import torch
from torch import Tensor

from models.browser.engine_file import Call, Kernel
from models.errors import ModelError

NO_ACTIVATION, RELU = 1.0, 0.0
"""Slopes of a leaky ReLU below zero that make it the identity, and an ordinary ReLU."""

_TILE, _VECTOR = 12, 4
"""Channels of one tile of weights, and of one vector register."""
_LARGEST = 2**15 - 1
"""Largest int16 value."""

Section = Literal["constants", "weights", "buffers"]


class UnsupportedModelError(ModelError):
    """The engine in the browser cannot draw the images of a model."""


class Address(NamedTuple):
    """An address in a section. Where the section starts is known once all layers are added."""

    section: Section
    offset: int


class Plane(NamedTuple):
    """A square image with channels last, and a border of one pixel that stays zero."""

    start: int
    side: int
    channels: int

    @property
    def row(self) -> int:
        """Number of floats from one row to the next."""
        return (self.side + 2) * self.channels

    @property
    def size(self) -> int:
        """Number of floats, with the border."""
        return self.row * (self.side + 2)

    @property
    def corner(self) -> Address:
        """Address of the first pixel of the border."""
        return self.pixel(-1, -1)

    def pixel(self, y: int, x: int) -> Address:
        """Return the address of a pixel. Coordinates of -1 and `side` are in the border."""
        return Address("buffers", self.start + (y + 1) * self.row + (x + 1) * self.channels)


_Unresolved = tuple[Kernel, tuple[int | float | Address, ...]]


class Program:
    """Collects constants, weights, buffers and calls."""

    def __init__(self) -> None:
        self.multiply_adds = 0
        self.sizes: dict[Section, int] = {"constants": 0, "weights": 0, "buffers": 0}
        """Number of floats of each section so far, in the order of the memory."""
        self._constants: list[Tensor] = []
        self._weights: list[Tensor] = []
        self._preparation: list[_Unresolved] = []
        self._calls: list[_Unresolved] = []

    def constant(self, values: Tensor) -> Address:
        """Add values in full precision."""
        self._constants.append(_padded(values.detach().float().flatten()))
        return self._reserve("constants", values.numel())

    def buffer(self, floats: int) -> Address:
        """Reserve memory for some floats, which are zero at first."""
        return self._reserve("buffers", floats)

    def plane(self, side: int, channels: int) -> Plane:
        """Reserve memory for a plane. Raises UnsupportedModelError if its channels do not fill vector registers."""
        if channels % _VECTOR:
            raise UnsupportedModelError(f"the engine needs widths in multiples of {_VECTOR}, got {channels}")
        size = Plane(0, side, channels).size
        return Plane(self.buffer(size).offset, side, channels)

    def call(self, kernel: Kernel, *arguments: int | float | Address) -> None:
        """Append a call."""
        self._calls.append((kernel, arguments))

    def linear(self, source: Address, target: Address, weight: Tensor, bias: Tensor, slope: float) -> None:
        """Append a matrix product and a leaky ReLU. Shapes: weight (outputs, inputs), bias (outputs,)."""
        self._convolve(source, 0, (1, 1), weight.T[None, None], bias, target, (0, 0), slope)

    def convolve(
        self,
        source: Plane,
        first: tuple[int, int],
        weight: Tensor,
        bias: Tensor,
        target: Address,
        strides: tuple[int, int],
        slope: float,
    ) -> None:
        """Append a convolution over a whole plane, and a leaky ReLU.

        `first` is the pixel below the top left weight at the start. `strides` are the floats between the rows and
        between the columns of the target.
        Shapes: weight (kernel rows, kernel columns, inputs, outputs), bias (outputs,).
        """
        size = (source.side, source.side)
        self._convolve(source.pixel(*first), source.row, size, weight, bias, target, strides, slope)

    def _convolve(
        self,
        source: Address,
        source_row: int,
        size: tuple[int, int],
        weight: Tensor,
        bias: Tensor,
        target: Address,
        strides: tuple[int, int],
        slope: float,
    ) -> None:
        rows, columns, inputs, outputs = weight.shape
        if outputs % _VECTOR:
            raise UnsupportedModelError(f"the engine needs widths in multiples of {_VECTOR}, got {outputs}")
        kernel = (rows, columns, self._weight(weight.detach()), self.constant(bias), outputs)
        self.call("convolve", source, source_row, *size, inputs, *kernel, target, *strides, slope)
        self.multiply_adds += size[0] * size[1] * weight.numel()

    def _weight(self, weight: Tensor) -> Address:
        """Add the weights of a convolution, in tiles of output channels."""
        outputs = weight.shape[-1]
        # The tiny lower limit avoids a division by zero where all weights of a channel are zero.
        scales = weight.flatten(0, -2).abs().amax(0).clamp_min(1e-30) / _LARGEST
        words = (weight / scales).round().to(torch.int16)
        self._weights += [words[..., first : first + _TILE].flatten() for first in range(0, outputs, _TILE)]
        address = self._reserve("weights", weight.numel())
        arguments = (address, weight.numel() // outputs, outputs, self.constant(scales), address)
        self._preparation.append(("widen", arguments))
        return address

    def content(self) -> bytes:
        """Return the content of weights-1.bin."""
        constants, weights = torch.cat(self._constants).numpy(), torch.cat(self._weights).numpy()
        return constants.astype("<f4").tobytes() + weights.astype("<i2").tobytes()

    def calls(self) -> tuple[Call, ...]:
        """Return the calls that draw an image, with final addresses."""
        return tuple(
            Call(kernel=kernel, arguments=tuple(map(self.resolve, arguments))) for kernel, arguments in self._calls
        )

    def preparation(self) -> tuple[Call, ...]:
        """Return the calls that turn int16 values into weights, with final addresses."""
        calls = []
        for kernel, (source, *others) in self._preparation:
            # Two int16 values take the memory of one float.
            packed = (
                self.resolve(Address("weights", 0)) + self.sizes["weights"] // 2 + cast(Address, source).offset // 2
            )
            calls.append(Call(kernel=kernel, arguments=(packed, *map(self.resolve, others))))
        return tuple(calls)

    def resolve(self, argument: int | float | Address) -> int | float:
        """Return the final value of an argument, once all layers are added."""
        if not isinstance(argument, Address):
            return argument
        before = takewhile(lambda section: section != argument.section, self.sizes)
        return argument.offset + sum(self.sizes[section] for section in before)

    def _reserve(self, section: Section, floats: int) -> Address:
        """Reserve memory in a section, filled up to whole vector registers."""
        address = Address(section, self.sizes[section])
        self.sizes[section] += -(-floats // _VECTOR) * _VECTOR
        return address


def strides(plane: Plane, step: int = 1) -> tuple[int, int]:
    """Return the floats from one row and from one column to the next, for every `step`-th pixel of a plane."""
    return step * plane.row, step * plane.channels


def ordered_taps(taps: dict[int, int]) -> tuple[int, Sequence[int]]:
    """Return the offset of the first input row of a transposed convolution, and the rows of its kernel in order."""
    offsets = sorted(taps)
    return offsets[0], [taps[offset] for offset in offsets]


def _padded(values: Tensor) -> Tensor:
    return torch.nn.functional.pad(values, (0, -len(values) % _VECTOR))
