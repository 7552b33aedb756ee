"""One image of a job."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage


@dataclass(frozen=True)
class Image:
    """An encoded image. `model`, `seed` and `index` of a job fix its bytes."""

    index: int
    label: str | None
    """Class of the image. None if the model has no classes."""
    format: str
    """`png`, `webp` or `jpeg`."""
    data: bytes
    """The file as the service stores it."""
    name: str
    """Path of the file in the archive of the job."""

    def open(self) -> "PillowImage":
        """Decode the image. Needs Pillow."""
        from PIL import Image as PillowImages  # the client itself works without Pillow

        return PillowImages.open(io.BytesIO(self.data))
