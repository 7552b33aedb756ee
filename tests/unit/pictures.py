"""Small pictures whose colour tells their index. Unlike texts, they can be drawn in the grid of a report."""

import io

import numpy as np
from PIL import Image

from worker.contracts.formats import Format
from worker.contracts.jobs import JobSpec
from worker.rendering import png_encoder

SIDE = 8


def colour(index: int) -> tuple[int, int, int]:
    return index % 256, index // 256, 77


def picture(index: int, file_format: Format = "png", side: int = SIDE) -> bytes:
    """Return a picture as a file, or as raw pixels for npz."""
    pixels = np.full((1, side, side, 3), colour(index), np.uint8)
    if file_format in ("png", "npz"):
        return pixels.tobytes() if file_format == "npz" else png_encoder.encode(pixels)[0]
    file = io.BytesIO()
    Image.fromarray(pixels[0]).save(file, file_format, quality=95, subsampling=0, lossless=True)
    return file.getvalue()


def with_pictures(spec: JobSpec, side: int = SIDE) -> JobSpec:
    """Return a job whose model makes pictures of this size."""
    return spec.model_copy(update={"model": spec.model.model_copy(update={"resolution": side})})
