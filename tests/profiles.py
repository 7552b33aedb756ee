"""Colour profiles for tests, and PNG chunks."""

import struct
import zlib
from collections.abc import Iterable

from models import icc_profile

P3 = icc_profile.profile_of_primaries((0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060), None)
WIDE_GAMMA = icc_profile.profile_of_primaries((0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06), 2.19921875)
NEARLY_SRGB = icc_profile.profile_of_primaries((0.3127, 0.3290, 0.6401, 0.3300, 0.3000, 0.6000, 0.1500, 0.0600), None)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunks(png: bytes, chunks: Iterable[bytes]) -> bytes:
    """Put chunks behind the header of a PNG."""
    return png[:33] + b"".join(chunks) + png[33:]


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *chunks: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + data + chunk(b"IEND", b"")


def tiff(side: int, tags: dict[int, tuple[int, int]], data: bytes, extra: dict[int, bytes] | None = None) -> bytes:
    """A grey, uncompressed TIFF: tags with (type, value), and ones with long values as bytes (of shorts)."""
    long = extra or {}
    found = {256: (3, side), 257: (3, side), 259: (3, 1), 277: (3, 1), 278: (3, side), 279: (4, len(data)), **tags}
    start = 8 + 2 + 12 * (len(found) + 1 + len(long)) + 4
    short, wide = "<HHIHxx", "<HHII"
    entries = {t: struct.pack(short if kind == 3 else wide, t, kind, 1, v) for t, (kind, v) in found.items()}
    tail = b""
    for tag, values in long.items():
        entries[tag] = struct.pack("<HHII", tag, 3, len(values) // 2, start + len(data) + len(tail))
        tail += values
    entries[273] = struct.pack("<HHII", 273, 4, 1, start)
    directory = b"".join(entries[tag] for tag in sorted(entries))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + directory + bytes(4) + data + tail
