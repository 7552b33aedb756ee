"""PNG encoding: one image to bytes, the same bytes every time. Pillow compresses outside the interpreter lock."""

import io

from PIL import Image
from torch import Tensor

_COMPRESSION_LEVEL = 1
"""On 64 px faces twice as fast as the default level 6, and no larger: 0.24 ms and 6.1 kB against 0.49 ms and 6.5 kB."""


def encode(image: Tensor) -> bytes:
    """Encode one uint8 image. Shapes: (3, h, w) on the CPU."""
    file = io.BytesIO()
    Image.fromarray(image.permute(1, 2, 0).contiguous().numpy()).save(file, "PNG", compress_level=_COMPRESSION_LEVEL)
    return file.getvalue()
