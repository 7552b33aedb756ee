"""Encoding of images as files. Equal images give equal bytes; the encoders release the interpreter lock."""

import hashlib
import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image
from torch import Tensor

from worker.contracts.formats import Format
from worker.contracts.store.archive_index import ImageHash
from worker.rendering import png_encoder

Encoder = Callable[[Tensor, Format], list[bytes]]
"""Encodes uint8 images (n, 3, h, w) as files of a format."""
# Pillow's options. WebP with method 0 and quality 0 is lossless compression with the least effort.
_OPTIONS: dict[Format, dict[str, Any]] = {
    "webp": {"lossless": True, "method": 0, "quality": 0},
    "jpeg": {"quality": 95, "subsampling": "4:4:4"},
}


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """A rendered image as a file, or as raw pixels for npz."""

    index: int
    data: bytes
    crc32: int
    sha256: str
    hash: ImageHash = ""
    """Hash of the image's coarse structure (models/image_hash.py); empty in jobs of layout 1 and 2."""

    @classmethod
    def of(cls, index: int, data: bytes, image_hash: ImageHash = "") -> "EncodedImage":
        """Add the checksums of some data."""
        return cls(index, data, zlib.crc32(data), hashlib.sha256(data).hexdigest(), image_hash)


def encode(images: Tensor, file_format: Format) -> list[bytes]:
    """Encode uint8 images. For npz, return the raw pixels, row by row. Shapes: (n, 3, h, w) on the CPU."""
    # Images from the engine are channels last in memory, so this copies nothing.
    pixels = images.permute(0, 2, 3, 1).contiguous().numpy()
    if file_format == "png":
        return png_encoder.encode(pixels)
    if file_format == "npz":
        return [image.tobytes() for image in pixels]
    return [_encode_with_pillow(Image.fromarray(image), file_format) for image in pixels]


def _encode_with_pillow(picture: Image.Image, file_format: Format) -> bytes:
    file = io.BytesIO()
    picture.save(file, file_format.upper(), **_OPTIONS[file_format])
    return file.getvalue()
