"""Files that an enemy might bring as the picture of a style: small to send, dear to decode, or more than a picture."""

import io
import struct
import zlib
from collections.abc import Iterable
from typing import Any

from PIL import Image, PngImagePlugin

SCRIPT = b"<script>alert(document.domain)</script>"
_PNG = b"\x89PNG\r\n\x1a\n"


def picture(kind: str, side: int = 40, **options: Any) -> bytes:
    """A picture that can be decoded."""
    file = io.BytesIO()
    Image.effect_mandelbrot((side, side), (-2, -1, 1, 1), 9).convert("RGB").save(file, kind, **options)
    return file.getvalue()


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(side: int, depth: int, colour: int, before: bytes = b"", rows: bytes | None = None) -> bytes:
    """A square PNG, by default all zeros, packed as well as zlib can; of colour 2 is RGB, 3 a palette, 6 RGBA."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, 0))
    length = side * (1 + side * depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour] // 8)
    packed = zlib.compress(bytes(length), 9) if rows is None else rows
    return _PNG + header + before + chunk(b"IDAT", packed) + chunk(b"IEND")


def segment(marker: int, body: bytes) -> bytes:
    """A segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def with_segments(segments: bytes) -> bytes:
    """A JPEG with more in front of its picture."""
    whole = picture("JPEG")
    return whole[:2] + segments + whole[2:]


def scans(count: int, side: int) -> bytes:
    """A progressive JPEG that goes over its empty picture again and again, in 40 bytes each."""
    tables = segment(0xDB, bytes([0] + [1] * 64))
    frame = segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + bytes([1, 0x11, 0]))
    dc = segment(0xC4, bytes([0x00, 1] + [0] * 15 + [0]))
    ac = segment(0xC4, bytes([0x10, 1] + [0] * 15 + [0xE0]))  # the one code: the next 16384 blocks and more end here
    blocks = (-(-side // 8)) ** 2
    first = segment(0xDA, bytes([1, 1, 0x00, 0, 0, 0])) + bytes(-(-blocks // 8))
    run = "0" + "1" * 14  # 32767 blocks
    bits = run * -(-blocks // 32767)
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")
    again = segment(0xDA, bytes([1, 1, 0x00, 1, 63, 0])) + data
    return b"\xff\xd8" + tables + frame + dc + ac + first + again * count + b"\xff\xd9"


def text_bomb(kind: bytes, size: int) -> bytes:
    """A PNG with a compressed text that becomes that many bytes."""
    packed = zlib.compress(bytes(size), 9)
    body = b"k\0\0" + packed if kind == b"zTXt" else b"k\0\1\0\0\0" + packed
    return png(40, 8, 2, chunk(kind, body))


def frames(kind: str, count: int) -> bytes:
    """An animation."""
    file = io.BytesIO()
    first, *others = (Image.new("RGB", (16, 16), (number % 256, number // 256, 0)) for number in range(count))
    first.save(file, kind, save_all=True, append_images=others, duration=10)
    return file.getvalue()


def huge_header(kind: str) -> bytes:
    """A picture that says that it is as large as its format allows."""
    if kind == "PNG":
        return png(2**31 - 1, 8, 6, rows=b"")
    if kind == "JPEG":
        whole = bytearray(picture("JPEG"))
        place = whole.index(b"\xff\xc0") + 5
        whole[place : place + 4] = b"\xff\xdc\xff\xdc"
        return bytes(whole)
    body = b"\x2f" + struct.pack("<I", 16383 | 16383 << 14) + bytes(64)
    return b"RIFF" + struct.pack("<I", len(body) + 12) + b"WEBPVP8L" + struct.pack("<I", len(body)) + body


def _metadata() -> PngImagePlugin.PngInfo:
    found = PngImagePlugin.PngInfo()
    found.add_text("Comment", SCRIPT.decode())
    return found


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = SCRIPT.decode()
    return exif.tobytes()


def polyglots() -> Iterable[tuple[str, bytes]]:
    """Pictures that are something else besides, and say so in their name."""
    page = b"<!DOCTYPE html><html>" + SCRIPT + b"</html>"
    yield "png-and-html", picture("PNG") + page
    yield "png-with-html-in-a-text", picture("PNG", pnginfo=_metadata())
    yield "png-with-html-in-a-chunk-of-its-own", png(40, 8, 2, chunk(b"scPt", page))
    yield "jpeg-with-script-in-exif", picture("JPEG", exif=_exif())
    yield "jpeg-with-script-in-its-comment", picture("JPEG", comment=SCRIPT)
    yield "webp-with-script-in-xmp", picture("WEBP", xmp=SCRIPT)
    yield "jpeg-and-archive", picture("JPEG") + b"PK\x03\x04" + SCRIPT + b"PK\x05\x06" + bytes(18)
    yield "png-with-script-in-its-profile", picture("PNG", icc_profile=SCRIPT)
