"""Encodes pictures as PNG."""

import io

from PIL import Image


def encode(image: Image.Image) -> bytes:
    """Encode a picture as PNG."""
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()
