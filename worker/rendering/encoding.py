"""Encoding of images as files. Equal images give equal bytes; the encoders release the interpreter lock."""

import io
from collections.abc import Callable
from typing import Any

from PIL import Image
from torch import Tensor

from worker.contracts.jobs import Format
from worker.rendering import png_encoder

Encoder = Callable[[Tensor, Format], list[bytes]]
"""Encodes uint8 images (n, 3, h, w) as files of a format."""
# Pillow's options. WebP with method 0 and quality 0 is lossless compression with the least effort.
_OPTIONS: dict[Format, dict[str, Any]] = {
    "webp": {"lossless": True, "method": 0, "quality": 0},
    "jpeg": {"quality": 95, "subsampling": "4:4:4"},
}


def encode(images: Tensor, kind: Format) -> list[bytes]:
    """Encode uint8 images. For npz, return the raw pixels, row by row. Shapes: (n, 3, h, w) on the CPU."""
    # Images from the engine are channels last in memory, so this copies nothing.
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
