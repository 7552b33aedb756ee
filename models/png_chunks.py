"""PNG chunks: reads the declarations about a file's pixels, and removes metadata that could stop a decoder."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAX_PROFILE_BYTES = 16 << 20
"""Largest decompressed colour profile. A larger one is ignored."""
_MAX_TEXT_BYTES = 1_000_000
"""Longest decompressed text. A longer one is dropped, since Pillow refuses files with more than 1 MiB in one text."""
_MAX_TEXTS = 16
"""Largest number of texts that are kept in a file, so that their total size is bounded."""
_VISIBLE_CHUNKS = frozenset({b"tRNS", b"acTL", b"fcTL", b"fdAT", b"eXIf"})
"""Ancillary chunks that change how an image looks: transparency, frames and orientation."""
_ORIENTATION_KEYWORDS = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0")
"""Beginnings of text chunks that may hold an orientation."""


@dataclass
class Declarations:
    """A file's declarations about its samples. Only the profile and the code points exist outside PNG, too."""

    profile: bytes | None = None
    """An ICC profile."""
    cicp: tuple[int, int] | None = None
    """Code points of primaries and transfer function (ITU-T H.273)."""
    is_srgb: bool = False
    gamma: float | None = None
    """Exponent of the encoding, e.g. 0.45455 for sRGB."""
    chromaticities: tuple[float, ...] | None = None
    """Chromaticities x and y of white, red, green and blue."""
    bits: int | None = None
    """Largest number of significant bits of a channel."""
    depth: int = 8
    """Number of bits of a stored sample."""
    remarks: list[str] = field(default_factory=list)
    """Assumptions about the file that the decoder had to make, for the user."""


def read(data: bytes) -> tuple[bytes, Declarations]:
    """Return a PNG without superfluous metadata, and its declarations. Other formats are returned unchanged."""
    declared = Declarations()
    if not data.startswith(SIGNATURE):
        return data, declared
    chunks: list[bytes | memoryview] = [SIGNATURE]
    view = memoryview(data)
    texts = 0
    for kind, body, start, end in _chunks(view):
        if kind[:1].isupper() or kind in _VISIBLE_CHUNKS:  # an upper-case first letter marks a critical chunk
            chunks.append(view[start:end])
        elif kind in {b"iTXt", b"zTXt", b"tEXt"}:
            # Short-circuit: the texts are decompressed only while the limit is not reached.
            if texts < _MAX_TEXTS and _has_valid_crc(view, start, end) and _holds_orientation(kind, bytes(body)):
                chunks.append(view[start:end])
                texts += 1
        elif kind in _READERS and _has_valid_crc(view, start, end):
            _read_declaration(kind, bytes(body), declared)
        if kind == b"IHDR" and len(body) > 8:
            declared.depth = body[8]  # after width and height, 4 bytes each
    return b"".join(chunks), declared


def _chunks(data: memoryview) -> Iterator[tuple[bytes, memoryview, int, int]]:
    """Yield kind, body, start and end of each chunk up to IEND. A truncated chunk is last; the decoder reports it."""
    position = len(SIGNATURE)
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        yield kind, data[position + 8 : min(end - 4, len(data))], position, min(end, len(data))
        if kind == b"IEND":
            return
        position = end


def _has_valid_crc(data: memoryview, start: int, end: int) -> bool:
    return end - start >= 12 and zlib.crc32(data[start + 4 : end - 4]) == struct.unpack_from(">I", data, end - 4)[0]


def _holds_orientation(kind: bytes, body: bytes) -> bool:
    if not body.startswith(_ORIENTATION_KEYWORDS):
        return False
    _, _, text = body.partition(b"\0")
    # An iTXt chunk has a compression flag and method, then a language tag and a translated keyword, before its text.
    if kind == b"iTXt":
        flags, text = text[:2], text[2:].split(b"\0", 2)[-1]
        return len(text) <= _MAX_TEXT_BYTES if flags[:1] != b"\1" else _decompress(text, _MAX_TEXT_BYTES) is not None
    return len(text) <= _MAX_TEXT_BYTES if kind == b"tEXt" else _decompress(text[1:], _MAX_TEXT_BYTES) is not None


def _decompress(data: bytes, limit: int) -> bytes | None:
    """Decompress zlib data; None if they are broken or longer than `limit` bytes."""
    try:
        # One byte more than the limit is enough to see that the data are too long: a bomb is never expanded.
        decompressed = zlib.decompressobj().decompress(data, limit + 1)
    except zlib.error:
        return None
    return decompressed if len(decompressed) <= limit else None


def _read_declaration(kind: bytes, body: bytes, declared: Declarations) -> None:
    try:
        _READERS[kind](body, declared)
    except (struct.error, ValueError, IndexError):  # broken metadata around good pixels
        declared.remarks.append(f"a broken {kind.decode()} chunk was ignored")


def _profile(body: bytes, declared: Declarations) -> None:
    _, _, rest = body.partition(b"\0")
    declared.profile = _decompress(rest[1:], _MAX_PROFILE_BYTES)
    if declared.profile is None:
        declared.remarks.append("a colour profile that cannot be read was ignored")


def _cicp(body: bytes, declared: Declarations) -> None:
    declared.cicp = body[0], body[1]


def _srgb(_body: bytes, declared: Declarations) -> None:
    declared.is_srgb = True


def _gamma(body: bytes, declared: Declarations) -> None:
    (value,) = struct.unpack(">I", body)
    declared.gamma = value / 100_000 or None


def _chromaticities(body: bytes, declared: Declarations) -> None:
    declared.chromaticities = tuple(value / 100_000 for value in struct.unpack(">8I", body))


def _bits(body: bytes, declared: Declarations) -> None:
    declared.bits = max(body[:3] if len(body) >= 3 else body[:1])


_READERS = {
    b"iCCP": _profile,
    b"cICP": _cicp,
    b"sRGB": _srgb,
    b"gAMA": _gamma,
    b"cHRM": _chromaticities,
    b"sBIT": _bits,
}
