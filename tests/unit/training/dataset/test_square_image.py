import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from tests.tiny import picture
from training.dataset.square_image import decode
from training.errors import DatasetError


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def colour(data: bytes) -> list[int]:
    """The colour of a picture that has only one."""
    pixels = decode(data, 32).pixels
    assert pixels.shape == (3, 32, 32)
    assert np.ptp(pixels.reshape(3, -1), axis=1).max() <= 1
    return [int(value) for value in pixels[:, 0, 0]]


def test_the_centre_square_is_kept() -> None:
    wide = Image.new("RGB", (300, 100), "red")
    wide.paste(Image.new("RGB", (100, 100), "blue"), (100, 0))
    assert colour(encoded(wide)) == [0, 0, 255]


def cornered() -> Image.Image:
    """White, with a red, a green and a blue corner; the fourth, at the right and below, stays white."""
    image = Image.new("RGB", (64, 64), "white")
    for name, corner in (("red", (0, 0)), ("lime", (32, 0)), ("blue", (0, 32))):
        image.paste(Image.new("RGB", (32, 32), name), corner)
    return image


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright_by_its_exif(orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    data = encoded(cornered(), kind, exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    corners = [(8, 8), (55, 8), (8, 55), (55, 55)]
    found = decode(data, 32).pixels[:, [4, 4, 27, 27], [4, 27, 4, 27]].T
    assert np.abs(found.astype(int) - [expected.getpixel(corner) for corner in corners]).max() <= 4  # JPEG


def test_broken_metadata_does_not_spoil_good_pixels() -> None:
    assert (
        colour(encoded(Image.new("RGB", (50, 50), "white"), "PNG", exif=b"Exif\0\0MM\0*" + b"\xff" * 40)) == [255] * 3
    )
    assert colour(encoded(Image.new("RGB", (50, 50), "white"), "JPEG", exif=b"Exif\0\0nothing")) == [255] * 3


def test_transparency_is_laid_on_white() -> None:
    assert colour(encoded(Image.new("RGBA", (50, 50), (255, 0, 0, 0)))) == [255, 255, 255]
    assert colour(encoded(Image.new("LA", (50, 50), (0, 0)))) == [255, 255, 255]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    assert colour(encoded(Image.new("RGB", (50, 50), "white").convert(mode))) == [255, 255, 255]


def test_cmyk_becomes_rgb() -> None:
    assert colour(encoded(Image.new("CMYK", (50, 50), (0, 0, 0, 0)), "JPEG")) == [255, 255, 255]


def test_sixteen_bits_keep_their_brightness() -> None:
    for value, expected in ((0x8000, 128), (0xFFFF, 255), (0x00FF, 0)):
        grey = Image.fromarray(np.full((50, 50), value, dtype=np.uint16))
        assert colour(encoded(grey)) == [expected] * 3


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGB", (40, 40), name) for name in ("white", "black")]
    assert colour(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])) == [255, 255, 255]


def test_lanczos_shrinks_with_antialiasing() -> None:
    stripes = np.zeros((64, 64, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    inner = decode(encoded(Image.fromarray(stripes)), 32).pixels[:, :, 4:-4]
    assert np.abs(inner.astype(int) - 127).max() <= 2


def blocks(side: int) -> Image.Image:
    """Sharp edges everywhere: 128 x 128 blocks of any colour."""
    colours = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    return Image.fromarray(colours).resize((side, side), Image.Resampling.NEAREST)


@pytest.mark.parametrize("side", [1024, 2048])
def test_a_large_jpeg_looks_the_same_as_if_it_were_decoded_at_full_size(side: int) -> None:
    data = encoded(blocks(side), "JPEG", quality=92)
    whole = Image.open(io.BytesIO(data)).convert("RGB").resize((64, 64), Image.Resampling.LANCZOS)
    apart = decode(data, 64).pixels.astype(int) - np.asarray(whole).transpose(2, 0, 1)
    assert np.abs(apart).max() <= 4  # measured 3; 8 where the draft is only twice as large as the target
    assert (apart**2).mean() < 1  # more than 48 dB; measured 0.7, and 6.2 for such a draft


def test_the_side_before_resizing_is_told() -> None:
    assert decode(encoded(Image.new("RGB", (300, 20))), 32).side == 20
    assert decode(encoded(blocks(2048), "JPEG"), 32).side == 2048


@pytest.mark.parametrize("kind", ["TIFF", "BMP", "PPM", "WEBP", "AVIF"])
def test_every_kind_of_file_is_read(kind: str) -> None:
    assert colour(encoded(Image.new("RGB", (50, 50), "white"), kind)) == [255, 255, 255]


def test_of_a_stereo_photo_the_first_picture_is_taken() -> None:
    frames = [Image.new("RGB", (40, 40), name) for name in ("white", "black")]
    assert colour(encoded(frames[0], "MPO", save_all=True, append_images=frames[1:])) == [255, 255, 255]


def test_a_truncated_file_is_refused() -> None:
    data = encoded(picture(0, (200, 200)), "JPEG")
    with pytest.raises(DatasetError, match="unreadable"):
        decode(data[: len(data) // 2], 32)


def blank(width: int, height: int) -> bytes:
    """A PNG that declares a size and holds nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [8001, 10_000, 50_000])
def test_a_bomb_is_refused_undecoded(side: int) -> None:
    with pytest.raises(DatasetError, match=r"more than 64000000 pixels"):
        decode(blank(side, side), 32)


def test_as_many_pixels_as_are_allowed_are_not_called_a_bomb() -> None:
    with pytest.raises(DatasetError, match="unreadable"):
        decode(blank(8000, 8000), 32)


@pytest.mark.parametrize("size", [(50_000, 7), (7, 7)])
def test_a_strip_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(DatasetError, match=r"each side must be at least 8 px"):
        decode(encoded(Image.new("RGB", size)), 32)
    assert decode(encoded(Image.new("RGB", (8, 50))), 32).side == 8


def test_floating_point_pixels_are_refused() -> None:
    with pytest.raises(DatasetError, match="floating-point pixels"):
        decode(encoded(Image.new("F", (50, 50), 0.5), "TIFF"), 32)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "an empty file"),
        (b"not an image", "damaged from the start or none of PNG, JPEG"),
        (encoded(Image.new("RGB", (50, 50)), "EPS"), "damaged from the start or none of PNG, JPEG"),
    ],
    ids=["empty", "text", "a program for a printer"],
)
def test_what_is_no_image_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(DatasetError, match=reason):
        decode(data, 32)
