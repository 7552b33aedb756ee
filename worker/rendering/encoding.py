"""Encoding: images to bytes, the same bytes every time, outside the interpreter lock."""

import io
from collections.abc import Callable
from typing import Any

from PIL import Image
from torch import Tensor

from worker.contracts.jobs import Format
from worker.rendering import png_encoder

Encoder = Callable[[Tensor, Format], list[bytes]]
"""What turns uint8 images (n, 3, h, w) into files of a format."""
_OPTIONS: dict[Format, dict[str, Any]] = {
    "webp": {"lossless": True, "method": 0, "quality": 0},
    "jpeg": {"quality": 95, "subsampling": "4:4:4"},
}


def encode(images: Tensor, kind: Format) -> list[bytes]:
    """Encode uint8 images; as npz, their bare pixels, row by row. Shapes: (n, 3, h, w) on the CPU."""
    pixels = images.permute(0, 2, 3, 1).contiguous().numpy()
    if kind == "png":
        return png_encoder.encode(pixels)
    if kind == "npz":
        return [image.tobytes() for image in pixels]
    return [_by_pillow(Image.fromarray(image), kind) for image in pixels]


def _by_pillow(picture: Image.Image, kind: Format) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind.upper(), **_OPTIONS[kind])
    return file.getvalue()
