"""Image files that a camera, an archive or an enemy might leave in a folder, each with what becomes of it."""

import io
import struct
import zlib
from typing import Any

from PIL import Image

from tests.tiny import picture

AMBER, TEAL = (240, 160, 32), (16, 128, 112)


def encoded(kind: str, image: Image.Image | None = None, **options: Any) -> bytes:
    file = io.BytesIO()
    (image or Image.new("RGB", (40, 40), AMBER)).save(file, kind, **options)
    return file.getvalue()


def png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff16(channels: tuple[int, ...]) -> bytes:
    """A 40 x 40 TIFF of one colour with 16 bits a channel."""
    count = len(channels)
    pixels = struct.pack(f"<{count}H", *channels) * 1600
    tags = [
        (256, 3, 1, 40),
        (257, 3, 1, 40),
        (258, 3, count, 16 if count == 1 else 8 + 2 + 10 * 12 + 4),
        (259, 3, 1, 1),
        (262, 3, 1, 2 if count == 3 else 1),
        (273, 4, 1, 8 + 2 + 10 * 12 + 4 + 6),
        (277, 3, 1, count),
        (278, 3, 1, 40),
        (279, 4, 1, len(pixels)),
        (339, 3, 1, 1) if count == 1 else (284, 3, 1, 1),
    ]
    directory = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    return (
        b"II*\x00\x08\x00\x00\x00"
        + struct.pack("<H", 10)
        + directory
        + bytes(4)
        + struct.pack("<3H", *[16] * 3)
        + pixels
    )


def clear_palette() -> Image.Image:
    """One colour, all of it transparent."""
    image = Image.new("P", (40, 40), 0)
    image.putpalette([*AMBER, *TEAL])
    return image


FRAMES: dict[str, Any] = {"save_all": True, "append_images": [Image.new("RGB", (40, 40), TEAL)]}
GREY16 = struct.pack(">H", 0x8055)
RGB16 = b"".join(struct.pack(">H", value << 8 | 0x55) for value in AMBER)
GOOD: dict[str, tuple[bytes, tuple[int, int, int]]] = {
    "adobe-cmyk.jpg": (encoded("JPEG", Image.new("CMYK", (40, 40), (0, 0, 0, 0))), (255, 255, 255)),
    "animated.gif": (encoded("GIF", **FRAMES), AMBER),
    "animated.png": (encoded("PNG", **FRAMES), AMBER),
    "animated.webp": (encoded("WEBP", lossless=True, **FRAMES), AMBER),
    "broken-exif.jpg": (encoded("JPEG", quality=100, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x05" + b"\x01" * 30), AMBER),
    "grey16.png": (png(40, 40, 16, 0, (b"\0" + GREY16 * 40) * 40), (128, 128, 128)),
    "grey16.tif": (tiff16((0x8055,)), (128, 128, 128)),
    "new\nline.png": (encoded("PNG"), AMBER),
    "palette.gif": (encoded("GIF", clear_palette(), transparency=0), (255, 255, 255)),
    "palette.png": (encoded("PNG", clear_palette(), transparency=0), (255, 255, 255)),
    "photo.avif": (encoded("AVIF", quality=100), AMBER),
    "rgb16.png": (png(40, 40, 16, 2, (b"\0" + RGB16 * 40) * 40), AMBER),
    "rgb16.tif": (tiff16(tuple(value << 8 | 0x55 for value in AMBER)), AMBER),
    "wrong-case.JpG": (encoded("JPEG", quality=100), AMBER),
}
BAD: dict[str, tuple[bytes, str]] = {
    "archive.zip": (b"PK", "an archive; unpack it first"),
    "bomb.png": (png(50_000, 50_000, 8, 2, b""), "more than 64000000 pixels"),
    "empty.jpg": (b"", "an empty file"),
    "float.tif": (encoded("TIFF", Image.new("F", (40, 40), 0.5)), "floating-point pixels"),
    "iphone.heic": (b"\0\0\0\x18ftypheic" + bytes(64), "damaged from the start or none of PNG, JPEG"),
    "postscript.png": (encoded("EPS"), "damaged from the start or none of PNG, JPEG"),
    "small-bomb.png": (png(10_000, 10_000, 8, 2, b""), "10000x10000 px, more than 64000000 pixels"),
    "strip.png": (png(50_000, 1, 8, 0, bytes(50_001)), "50000x1 px is too small; each side must be at least 8 px"),
    "text.png": (b"hello", "damaged from the start or none of PNG, JPEG"),
    "truncated.jpg": (encoded("JPEG", picture(0, (400, 400)), quality=95)[:4000], "unreadable"),
}
