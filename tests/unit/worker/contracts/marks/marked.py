"""Marked images of a job for tests."""

import io
from typing import Any

import numpy as np
from PIL import Image

from tests.unit.conftest import spec_of
from worker.contracts.catalog import Numerics
from worker.contracts.formats import Format
from worker.contracts.jobs import JobSpec
from worker.contracts.marks.image_address import MAX_NUMBER
from worker.contracts.marks.image_marker import ImageMarker
from worker.contracts.styles import StyleSpec

OPTIONS: dict[Format, dict[str, Any]] = {
    "png": {},
    "webp": {"lossless": True},
    "jpeg": {"quality": 95, "subsampling": "4:4:4"},
}
IMAGE_FORMATS: list[Format] = list(OPTIONS)
STYLE = StyleSpec(id="5" * 64, mode="distilled", strength=0.75, steps=10_000, weights="7" * 64)
LARGEST = MAX_NUMBER


def noise(side: int = 64, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8))


def encoded(image: Image.Image, file_format: Format) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **OPTIONS[file_format])
    return file.getvalue()


def decoded(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def marked_spec(file_format: Format, **changes: Any) -> JobSpec:
    """A job with marks, by default the one with the longest unstyled addresses."""
    spec = spec_of(classes=tuple(f"class {number}" for number in range(1000)))
    numerics = Numerics(name="cuda-bfloat16", batch_size=256)
    model = spec.model.model_copy(update={"sha256": "9" * 64, "numerics": numerics})
    update = {"model": model, "format": file_format, "marking": "xmp-1", "seed": LARGEST, **changes}
    return spec.model_copy(update=update)


def marked(
    data: bytes, file_format: Format, index: int = LARGEST, class_number: int | None = 999, **changes: Any
) -> bytes:
    return ImageMarker(marked_spec(file_format, **changes)).mark(data, index, class_number)
