"""PNG chunks: what a file declares about its pixels, and the same file without metadata that could stop a decoder."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAX_PROFILE_BYTES = 16 << 20
"""Decompressed. A larger colour profile is ignored."""
_MAX_TEXT_BYTES = 1_000_000
"""Decompressed. A longer text is dropped: Pillow refuses a file with more than 1 MiB in one text."""
_MAX_TEXTS = 16
"""Texts that are kept in one file, so that their sum stays bounded, too."""
_PIXELS = frozenset({b"tRNS", b"acTL", b"fcTL", b"fdAT", b"eXIf"})
"""Ancillary chunks that change how an image looks: transparency, frames and orientation."""
_ORIENTING = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0")
"""Keywords of texts that may hold an orientation."""


@dataclass
class Declared:
    """What a file says about its numbers; all but the profile and the code points come from PNG chunks."""

    profile: bytes | None = None
    """An ICC profile."""
    cicp: tuple[int, int] | None = None
    """Code points of the primaries and of the transfer function (ITU-T H.273)."""
    is_srgb: bool = False
    gamma: float | None = None
    """Exponent of the encoding, e.g. 0.45455."""
    chromaticities: tuple[float, ...] | None = None
    """x and y of white, red, green and blue."""
    bits: int | None = None
    """Significant bits of the deepest channel."""
    depth: int = 8
    """Bits of a stored sample."""
    remarks: list[str] = field(default_factory=list)
    """What a decoder had to assume about the file, for its owner."""


def read(data: bytes) -> tuple[bytes, Declared]:
    """Return a PNG without superfluous metadata, and what it declares. Other formats come back as they are."""
    declared = Declared()
    if not data.startswith(SIGNATURE):
        return data, declared
    kept: list[bytes | memoryview] = [SIGNATURE]
    whole = memoryview(data)
    texts = 0
    for kind, body, start, end in _chunks(whole):
        if kind[:1].isupper() or kind in _PIXELS:
            kept.append(whole[start:end])
        elif kind in {b"iTXt", b"zTXt", b"tEXt"}:
            if texts < _MAX_TEXTS and _is_sound(whole, start, end) and _is_orienting(kind, bytes(body)):
                kept.append(whole[start:end])
                texts += 1
        elif kind in _READERS and _is_sound(whole, start, end):
            _declare(kind, bytes(body), declared)
        if kind == b"IHDR" and len(body) > 8:
            declared.depth = body[8]
    return b"".join(kept), declared


def _chunks(data: memoryview) -> Iterator[tuple[bytes, memoryview, int, int]]:
    """Walk to IEND or to the end. A cut chunk is the last one, for the decoder to complain about."""
    place = len(SIGNATURE)
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        yield kind, data[place + 8 : min(end - 4, len(data))], place, min(end, len(data))
        if kind == b"IEND":
            return
        place = end


def _is_sound(data: memoryview, start: int, end: int) -> bool:
    return end - start >= 12 and zlib.crc32(data[start + 4 : end - 4]) == struct.unpack_from(">I", data, end - 4)[0]


def _is_orienting(kind: bytes, body: bytes) -> bool:
    if not body.startswith(_ORIENTING):
        return False
    _, _, text = body.partition(b"\0")
    if kind == b"iTXt":
        flags, text = text[:2], text[2:].split(b"\0", 2)[-1]
        return len(text) <= _MAX_TEXT_BYTES if flags[:1] != b"\1" else _inflated(text, _MAX_TEXT_BYTES) is not None
    return len(text) <= _MAX_TEXT_BYTES if kind == b"tEXt" else _inflated(text[1:], _MAX_TEXT_BYTES) is not None


def _inflated(data: bytes, limit: int) -> bytes | None:
    """Decompress zlib data; None when they are broken or longer than `limit` bytes."""
    try:
        found = zlib.decompressobj().decompress(data, limit + 1)
    except zlib.error:
        return None
    return found if len(found) <= limit else None


def _declare(kind: bytes, body: bytes, declared: Declared) -> None:
    try:
        _READERS[kind](body, declared)
    except (struct.error, ValueError, IndexError):  # broken metadata around good pixels
        declared.remarks.append(f"a broken {kind.decode()} chunk was ignored")


def _profile(body: bytes, declared: Declared) -> None:
    _, _, rest = body.partition(b"\0")
    declared.profile = _inflated(rest[1:], _MAX_PROFILE_BYTES)
    if declared.profile is None:
        declared.remarks.append("a colour profile that cannot be read was ignored")


def _cicp(body: bytes, declared: Declared) -> None:
    declared.cicp = body[0], body[1]


def _srgb(_body: bytes, declared: Declared) -> None:
    declared.is_srgb = True


def _gamma(body: bytes, declared: Declared) -> None:
    (value,) = struct.unpack(">I", body)
    declared.gamma = value / 100_000 or None


def _chromaticities(body: bytes, declared: Declared) -> None:
    declared.chromaticities = tuple(value / 100_000 for value in struct.unpack(">8I", body))


def _bits(body: bytes, declared: Declared) -> None:
    declared.bits = max(body[:3] if len(body) >= 3 else body[:1])


_READERS = {
    b"iCCP": _profile,
    b"cICP": _cicp,
    b"sRGB": _srgb,
    b"gAMA": _gamma,
    b"cHRM": _chromaticities,
    b"sBIT": _bits,
}
