import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.tiny import picture
from training.dataset.picture import decode
from training.errors import DatasetError


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def colour(data: bytes) -> list[int]:
    """The colour of a picture that has only one."""
    pixels = decode(data, 32)
    assert pixels.shape == (3, 32, 32)
    assert np.ptp(pixels.reshape(3, -1), axis=1).max() <= 1
    return [int(value) for value in pixels[:, 0, 0]]


def test_the_centre_square_is_kept() -> None:
    wide = Image.new("RGB", (300, 100), "red")
    wide.paste(Image.new("RGB", (100, 100), "blue"), (100, 0))
    assert colour(encoded(wide)) == [0, 0, 255]


def test_a_picture_is_turned_upright_by_its_exif() -> None:
    image = Image.new("RGB", (64, 64), "red")
    image.paste(Image.new("RGB", (64, 32), "blue"), (0, 0))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    pixels = decode(encoded(image, exif=exif), 32)
    assert pixels[:, 2, 16].tolist() == [255, 0, 0]


def test_transparency_is_laid_on_white() -> None:
    assert colour(encoded(Image.new("RGBA", (50, 50), (255, 0, 0, 0)))) == [255, 255, 255]
    assert colour(encoded(Image.new("LA", (50, 50), (0, 0)))) == [255, 255, 255]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    assert colour(encoded(Image.new("RGB", (50, 50), "white").convert(mode))) == [255, 255, 255]


def test_cmyk_becomes_rgb() -> None:
    assert colour(encoded(Image.new("CMYK", (50, 50), (0, 0, 0, 0)), "JPEG")) == [255, 255, 255]


def test_sixteen_bits_keep_their_brightness() -> None:
    grey = Image.fromarray(np.full((50, 50), 0x8000, dtype=np.uint16))
    assert colour(encoded(grey)) == [128, 128, 128]


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGB", (40, 40), name) for name in ("white", "black")]
    assert colour(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])) == [255, 255, 255]


def test_lanczos_shrinks_with_antialiasing() -> None:
    stripes = np.zeros((64, 64, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    inner = decode(encoded(Image.fromarray(stripes)), 32)[:, :, 4:-4]
    assert np.abs(inner.astype(int) - 127).max() <= 2


def test_a_truncated_file_is_refused() -> None:
    data = encoded(picture(0, (200, 200)), "JPEG")
    with pytest.raises(DatasetError, match="unreadable"):
        decode(data[: len(data) // 2], 32)


def test_a_bomb_is_refused_undecoded() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    with pytest.raises(DatasetError, match=r"50000x50000 pixels|unreadable \(DecompressionBombError"):
        decode(data, 32)


def test_garbage_is_refused() -> None:
    with pytest.raises(DatasetError, match="unreadable"):
        decode(b"not an image", 32)
