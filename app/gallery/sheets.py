"""Draws sheets of thumbnails: one JPEG with many images of a job."""

import io
from collections.abc import Sequence

from PIL import Image, UnidentifiedImageError

from app.gallery.image_places import ImagePlaces
from app.gallery.sheet_grid import SHEET_WIDTH, SheetGrid, sheet_grid
from worker.contracts.jobs import JobSpec
from worker.contracts.store.store_errors import DamagedError

_QUALITY = 85
"""Quality of the JPEG. A sheet of photographs takes about 300 kB."""
_FULL_CHROMA = 0
"""No subsampling of colours, because thumbnails are small."""
_EMPTY = (128, 128, 128)
"""Colour of places without an image."""


def draw_sheet(places: ImagePlaces, spec: JobSpec, indices: Sequence[int]) -> bytes:
    """Return a JPEG with the thumbnails of some images, row by row. Raises DamagedError if an image is damaged."""
    grid = sheet_grid(spec.model.resolution)
    rows = -(-len(indices) // grid.columns)
    sheet = Image.new("RGB", (SHEET_WIDTH, rows * grid.thumbnail), _EMPTY)
    for number, data in places.read(spec, indices):
        row, column = divmod(number, grid.columns)
        sheet.paste(_thumbnail(spec, data, grid), (column * grid.thumbnail, row * grid.thumbnail))
    file = io.BytesIO()
    sheet.save(file, "JPEG", quality=_QUALITY, subsampling=_FULL_CHROMA)
    return file.getvalue()


def _thumbnail(spec: JobSpec, data: bytes, grid: SheetGrid) -> Image.Image:
    side = (grid.thumbnail, grid.thumbnail)
    image = _decode(spec, data)
    return image if image.size == side else image.resize(side, Image.Resampling.LANCZOS)


def _decode(spec: JobSpec, data: bytes) -> Image.Image:
    resolution = spec.model.resolution
    try:
        if spec.format == "npz":
            return Image.frombytes("RGB", (resolution, resolution), data)
        return Image.open(io.BytesIO(data)).convert("RGB")
    except (UnidentifiedImageError, ValueError, OSError) as error:
        raise DamagedError(f"an image of job {spec.id} cannot be decoded: {error}") from error
