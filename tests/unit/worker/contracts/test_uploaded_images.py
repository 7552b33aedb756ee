import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.profiles import P3, chunk, with_chunks
from worker.contracts.uploaded_images import PictureError, normalise


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def red(width: int = 40, height: int = 20, mode: str = "RGB") -> Image.Image:
    return Image.new("RGB", (width, height), "red").convert(mode)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_an_image_becomes_rgb_of_a_side(kind: str) -> None:
    picture = normalise(encoded(red(), kind), 36)
    assert (picture.mode, picture.size) == ("RGB", (36, 18))
    assert normalise(encoded(red(), kind), 512).size == (40, 20)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "1", "CMYK"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    data = encoded(red(mode=mode), "JPEG") if mode == "CMYK" else encoded(red(mode=mode))
    assert normalise(data, 36).mode == "RGB"


def test_transparency_is_laid_on_white() -> None:
    assert normalise(encoded(Image.new("RGBA", (20, 20), (255, 0, 0, 0))), 20).getpixel((5, 5)) == (255, 255, 255)


def test_sixteen_bits_are_scaled() -> None:
    deep = Image.fromarray(np.full((20, 20), 0x80FF, np.uint16))
    assert normalise(encoded(deep), 20).getpixel((5, 5)) == (128, 128, 128)


@pytest.mark.parametrize(("side", "size"), [(100, (20, 40)), (36, (18, 36))])
def test_an_image_is_turned_upright(side: int, size: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = Image.new("RGB", (40, 20), "red")
    picture.paste("blue", (0, 0, 20, 20))  # the left half, which is turned to the top
    turned = normalise(encoded(picture, "JPEG", exif=exif, quality=100, subsampling=0), side)
    assert turned.size == size
    red, _, blue = turned.getpixel((size[0] // 2, 3))  # type: ignore[misc]
    assert blue > 200 > 50 > red


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not an image"),
        (b"GIF89a" + bytes(50), "not an image"),
        (encoded(red())[:60], "cannot be read|not an image"),
        (encoded(red(15, 40)), "15 x 40 px is too small; each side must be at least 16 px"),
        (encoded(red(16, 400)), "too narrow: 4 x 100 px when the longer side is 100"),
    ],
)
def test_a_file_that_is_no_image_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(PictureError, match=reason):
        normalise(data, 100)


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">2I5B", 6401, 6401, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    with pytest.raises(PictureError, match="6401 x 6401 px are more than 40,000,000 pixels"):
        normalise(bomb, 100)


def test_colours_are_converted_to_srgb() -> None:
    picture = normalise(encoded(Image.new("RGB", (20, 20), (230, 60, 40)), icc_profile=P3), 20)
    found = np.asarray(picture)[10, 10].astype(int)
    assert np.abs(found - [251, 31, 13]).max() <= 2
    assert "icc_profile" not in picture.info


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16"])
@pytest.mark.parametrize("side", [24, 512])
def test_pixels_without_a_profile_are_what_they_have_always_been(mode: str, side: int) -> None:
    """The ids of styles are hashes of these pixels."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 4), dtype=np.uint8)
    deep = Image.fromarray(noise[..., 0].astype(np.uint16) << 8)
    image = (
        deep
        if mode == "I;16"
        else Image.fromarray(noise).convert("RGB" if mode in {"P", "CMYK"} else "RGBA").convert(mode)
    )
    data = encoded(image, "JPEG" if mode == "CMYK" else "PNG")
    assert normalise(data, side).tobytes() == as_before(data, side).tobytes()


def as_before(data: bytes, side: int) -> Image.Image:
    """How pictures were decoded before colour profiles were looked at."""
    with Image.open(io.BytesIO(data)) as image:
        small = image if image.mode in {"RGB", "RGBA", "L", "LA", "CMYK"} else rgb(image)
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
        return rgb(small)


def rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def test_colours_that_cannot_be_shown_are_refused() -> None:
    data = with_chunks(encoded(red()), [chunk(b"cICP", bytes([9, 16, 0, 1]))])
    with pytest.raises(PictureError, match=r"^colours of high dynamic range \(PQ\); convert the file to sRGB first$"):
        normalise(data, 100)
