"""The decoder of training images and of style images. It returns images as an image viewer shows them.

It needs only Pillow, since the API decodes uploads without a tensor library.
"""

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import ExifTags, Image, PngImagePlugin

from models import bit_depth, colour, png_chunks
from models.errors import PixelError as PixelError

_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_AVIF_HEAD_BYTES = 1 << 16
_SIDEWAYS = frozenset({5, 6, 7, 8})


class OpenedImage:
    """An image file whose header was read. Its first frame is decoded when its pixels are needed."""

    def __init__(self, data: bytes, image: Image.Image, declared: png_chunks.Declarations) -> None:
        self._data, self.image, self._declared = data, image, declared

    @property
    def remarks(self) -> list[str]:
        """Assumptions about the file that the decoder had to make."""
        return self._declared.remarks

    @property
    def orientation(self) -> int:
        """Orientation from Exif or XMP, 1 to 8; 1 (upright) if the file has none."""
        try:
            return int(self.image.getexif().get(ExifTags.Base.Orientation, 1))
        except Exception:  # broken metadata around good pixels
            return 1

    @property
    def is_sideways(self) -> bool:
        """True if width and height are swapped when the image is turned upright."""
        return self.orientation in _SIDEWAYS

    def to_8_bits(self) -> Image.Image:
        """Decode the pixels with 8 bits a channel, in the mode of the file. Raises PixelError."""
        image, declared = self.image, self._declared
        if bit_depth.is_deep_colour(image, declared):
            return bit_depth.join_bytes(image, _decode_low_bytes(self._data), declared.bits or 16)
        return bit_depth.to_8_bits(image, declared)

    def to_rgb(self, part: Image.Image, background: str = "white") -> Image.Image:
        """Convert a part of the 8-bit pixels to RGB in sRGB. Transparent pixels show the background."""
        part.load()
        return colour.to_srgb(part, self._declared, background)

    def turned_upright(self, part: Image.Image) -> Image.Image:
        """Rotate or flip a part of the image by the file's orientation."""
        transposition = _TRANSPOSITIONS.get(self.orientation)
        return part if transposition is None else part.transpose(transposition)


@contextmanager
def open_image(data: bytes, formats: tuple[str, ...]) -> Iterator[OpenedImage]:
    """Read the header of an image file. Pillow's exceptions for broken or unsupported files are passed on."""
    cleaned, declared = png_chunks.read(data)
    with Image.open(io.BytesIO(cleaned), formats=formats) as image:
        declared.profile = declared.profile or image.info.get("icc_profile")
        if image.format == "AVIF" and not declared.profile:
            declared.cicp = _avif_code_points(data[:_AVIF_HEAD_BYTES])
        yield OpenedImage(cleaned, image, declared)


def _avif_code_points(head: bytes) -> tuple[int, int] | None:
    """Return the colour code points of an AVIF file, which Pillow does not expose."""
    position = head.find(b"colrnclx")
    return struct.unpack_from(">2H", head, position + 8) if 0 <= position <= len(head) - 12 else None


def _decode_low_bytes(data: bytes) -> Image.Image:
    """Decode the low byte of every 16-bit sample, which Pillow drops.

    Pillow keeps the high byte, so it is made to read the samples with swapped bytes.
    """
    image = PngImagePlugin.PngImageFile(io.BytesIO(data))
    image.tile = [tile._replace(args=str(tile.args).replace("16B", "16L")) for tile in image.tile]
    return image
