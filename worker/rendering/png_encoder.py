"""A small PNG encoder: the same filter for all rows, compressed by libdeflate.

Source: W3C PNG (Third Edition), sections 5.3 (chunks), 9 (filters) and 11.2 (IHDR, IDAT, IEND).
"""

import struct

import deflate
import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">2L5B")
_RGB = (8, 2, 0, 0, 0)
"""Bits per sample, colour type RGB, and the methods of compression, filtering and interlacing."""
_AVERAGE = 3
"""Number of the filter "average". It gives the smallest files of the five here, and runs on all images at once."""
_LEVEL = 1
"""Compression level. The output of libdeflate depends on its version and level, not on the processor."""


def encode(pixels: NDArray[np.uint8]) -> list[bytes]:
    """Encode RGB images as PNG files. Shapes: (n, h, w, 3)."""
    _, height, width, _ = pixels.shape
    start = _SIGNATURE + _chunk(b"IHDR", _HEADER.pack(width, height, *_RGB))
    end = _chunk(b"IEND", b"")
    return [start + _chunk(b"IDAT", deflate.zlib_compress(rows, _LEVEL)) + end for rows in _filter_rows(pixels)]


def _filter_rows(pixels: NDArray[np.uint8]) -> list[bytes]:
    """Apply the filter "average": subtract the mean of the left and the upper byte. Each row starts with its filter."""
    n, height, width, channels = pixels.shape
    # One row and one pixel of zeros stand for the neighbours outside the image; 16 bits hold the sum of two bytes.
    padded = np.zeros((n, height + 1, (width + 1) * channels), np.uint16)
    padded[:, 1:, channels:] = pixels.reshape(n, height, width * channels)
    means = (padded[:, 1:, :-channels] + padded[:, :-1, channels:]) >> 1
    rows = np.full((n, height, 1 + width * channels), _AVERAGE, np.uint8)
    np.subtract(padded[:, 1:, channels:], means, out=rows[:, :, 1:], casting="unsafe")
    return [image.tobytes() for image in rows]


def _chunk(chunk_type: bytes, data: bytes | bytearray) -> bytes:
    return (
        struct.pack(">L", len(data))
        + chunk_type
        + data
        + struct.pack(">L", deflate.crc32(data, deflate.crc32(chunk_type)))
    )
