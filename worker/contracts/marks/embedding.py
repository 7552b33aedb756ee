"""Embeds XMP packets in PNG, JPEG and WebP files without decoding them.

Sources: XMP specification part 3 (2020), sections 1.1.3 (JPEG) and 1.1.5 (PNG); WebP container specification.
"""

import struct
import zlib
from collections.abc import Callable

from worker.contracts.formats import Format

PNG_KEYWORD = b"XML:com.adobe.xmp\0"
JPEG_NAMESPACE = b"http://ns.adobe.com/xap/1.0/\0"
_PNG_TEXT = b"iTXt" + PNG_KEYWORD + b"\0\0\0\0"
"""Chunk type and keyword, not compressed, without a language and a translated keyword."""
_PNG_HEAD_BYTES = 33
"""Length of a PNG file's signature and IHDR chunk. The XMP chunk follows them."""
_WEBP_HAS_XMP = 4
_LENGTH = struct.Struct(">L")
_SEGMENT = struct.Struct(">HH")
_RIFF = struct.Struct("<4sL")

Embed = Callable[[bytes, bytes], bytes]
"""Returns an image file with a packet in it. The second argument is the end of the packet, which differs by image."""


def embedder(file_format: Format, packet_start: bytes, side: int) -> Embed | None:
    """Return a function that embeds packets in the files of one format; None if the format holds no packets.

    All packets begin with `packet_start`. The images are squares without alpha, `side` pixels wide.
    """
    if file_format == "png":
        return _png(packet_start)
    if file_format == "jpeg":
        return _jpeg(packet_start)
    return _webp(packet_start, side) if file_format == "webp" else None


def _png(packet_start: bytes) -> Embed:
    start = _PNG_TEXT + packet_start
    checksum, fixed_bytes = zlib.crc32(start), len(start) - len(b"iTXt")

    def embed(file: bytes, rest: bytes) -> bytes:
        length, crc32 = _LENGTH.pack(fixed_bytes + len(rest)), _LENGTH.pack(zlib.crc32(rest, checksum))
        return b"".join((file[:_PNG_HEAD_BYTES], length, start, rest, crc32, file[_PNG_HEAD_BYTES:]))

    return embed


def _jpeg(packet_start: bytes) -> Embed:
    start = JPEG_NAMESPACE + packet_start

    def embed(file: bytes, rest: bytes) -> bytes:
        # The JFIF segment must come first, so the XMP segment follows it.
        place = 4 + int.from_bytes(file[4:6]) if file[2:4] == b"\xff\xe0" else 2
        segment = _SEGMENT.pack(0xFFE1, 2 + len(start) + len(rest))
        return b"".join((file[:place], segment, start, rest, file[place:]))

    return embed


def _webp(packet_start: bytes, side: int) -> Embed:
    size = (side - 1).to_bytes(3, "little")
    extended = _RIFF.pack(b"VP8X", 10) + bytes((_WEBP_HAS_XMP, 0, 0, 0)) + size + size

    def embed(file: bytes, rest: bytes) -> bytes:
        length = len(packet_start) + len(rest)
        xmp = (_RIFF.pack(b"XMP ", length), packet_start, rest, bytes(length % 2))
        body = b"".join((b"WEBP", extended, file[12:], *xmp))
        return _RIFF.pack(b"RIFF", len(body)) + body

    return embed
