"""The answer of an engine to one request, with its times, and a check of its content."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image

_RESOLUTION = 64
_OVERVIEW = "grid.png"
"""A picture of some images that Imagemill adds to its archives. It does not count."""


class AnswerError(Exception):
    """The answer is not a ZIP with the requested images."""


@dataclass(frozen=True)
class Answer:
    """A ZIP and its times, in seconds since the request."""

    first_s: float
    """Time until the first image arrived."""
    last_s: float
    """Time until the last byte of the ZIP arrived."""
    archive: bytes
    headers: Mapping[str, str]
    """Response headers, by names in lower case."""
    note: str = ""
    """The engine's own description of its settings."""


def check(archive: bytes, n: int) -> None:
    """Raise AnswerError unless this is a whole ZIP with n PNGs of 64 x 64 pixels."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            files = {name: opened.read(name) for name in opened.namelist()}
    except zipfile.BadZipFile as error:
        raise AnswerError(f"no ZIP of {n} images but {len(archive)} bytes: {error}") from error
    images = [data for name, data in files.items() if name.endswith(".png") and name != _OVERVIEW]
    if len(images) != n:
        raise AnswerError(f"{n} images wanted, got {len(images)}")
    for image in (images[0], images[n // 2], images[-1]):
        _check_image(image)


def _check_image(data: bytes) -> None:
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            found = (image.format, image.mode, image.size)
    except OSError as error:
        raise AnswerError(f"an image cannot be opened: {error}") from error
    if found != ("PNG", "RGB", (_RESOLUTION, _RESOLUTION)):
        raise AnswerError(f"RGB PNGs of {_RESOLUTION} px wanted, got {found}")
