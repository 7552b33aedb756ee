"""Pictures inside of a page, as data URLs."""

import base64
import io

from PIL import Image
from torch import Tensor

from training.record import png_bytes

_LOSSLESS, _LARGEST = 64, 128
"""Pictures up to the first size in pixels are PNG; larger ones are JPEG, and shrunk to the second size."""
_QUALITY = 90


def data_url(image: Tensor) -> str:
    """Encode an image. Shapes: image (3, r, r) uint8."""
    picture = Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())
    if picture.width <= _LOSSLESS:
        return _url("png", png_bytes.encode(picture))
    picture.thumbnail((_LARGEST, _LARGEST))
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=_QUALITY)
    return _url("jpeg", data.getvalue())


def _url(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
