"""Finds the XMP packet of an image file. It reads only the headers of the file's parts, and decodes nothing."""

from collections.abc import Iterator
from itertools import islice

from worker.contracts.marks.embedding import JPEG_NAMESPACE, PNG_KEYWORD

MAX_PACKET_BYTES = 1 << 16
"""Longer packets are cut here. A JPEG segment cannot hold a longer one."""
MAX_PARTS = 4096
"""Chunks or segments of a file that are looked at."""
_MAX_PART_BYTES = MAX_PACKET_BYTES + 1024
"""Bytes that are read of a PNG chunk: a packet after its keywords."""
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_START_OF_SCAN = 0xDA


def find_packet(file: bytes) -> bytes | None:
    """Return the XMP packet of a PNG, JPEG or WebP file; None if there is none, or if the file is damaged."""
    return next((packet for packet in islice(_packets(file), MAX_PARTS) if packet is not None), None)


def _packets(file: bytes) -> Iterator[bytes | None]:
    """Yield the XMP packet of each part of a file; None for parts that are something else."""
    if file.startswith(_PNG_SIGNATURE):
        return _png_packets(file)
    if file.startswith(b"\xff\xd8\xff"):
        return _jpeg_packets(file)
    return _webp_packets(file) if file[:4] == b"RIFF" and file[8:12] == b"WEBP" else iter(())


def _png_packets(file: bytes) -> Iterator[bytes | None]:
    position = len(_PNG_SIGNATURE)
    while len(header := file[position : position + 8]) == 8:
        body, length = position + 8, int.from_bytes(header[:4])
        yield _png_packet(file[body : body + min(length, _MAX_PART_BYTES)]) if header[4:] == b"iTXt" else None
        position = body + length + 4


def _png_packet(text: bytes) -> bytes | None:
    is_compressed = text[len(PNG_KEYWORD) : len(PNG_KEYWORD) + 1] != b"\0"
    if not text.startswith(PNG_KEYWORD) or is_compressed:
        return None
    # A language and a translated keyword follow the two bytes about compression. Each ends with a zero byte.
    _language, _, rest = text[len(PNG_KEYWORD) + 2 :].partition(b"\0")
    _keyword, _, packet = rest.partition(b"\0")
    return packet[:MAX_PACKET_BYTES]


def _jpeg_packets(file: bytes) -> Iterator[bytes | None]:
    position = 2
    while len(header := file[position : position + 4]) == 4 and header[0] == 0xFF and header[1] != _START_OF_SCAN:
        length = int.from_bytes(header[2:])
        segment = file[position + 4 : position + 2 + length]
        yield segment.removeprefix(JPEG_NAMESPACE) if segment.startswith(JPEG_NAMESPACE) else None
        position += 2 + max(length, 2)  # a length counts its own two bytes


def _webp_packets(file: bytes) -> Iterator[bytes | None]:
    position = 12
    while len(header := file[position : position + 8]) == 8:
        body, length = position + 8, int.from_bytes(header[4:], "little")
        yield file[body : body + min(length, MAX_PACKET_BYTES)] if header[:4] == b"XMP " else None
        position = body + length + length % 2
