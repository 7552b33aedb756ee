"""The subset of the ZIP format that an archive of uncompressed files needs. Pure functions that return bytes.

Source: PKWARE APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.14 to 4.3.16 (ends).
"""

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_CENTRAL_RECORD = struct.Struct("<4s6H3L5H2L")
_END_RECORD = struct.Struct("<4s4H2LH")
_ZIP64_END_RECORD = struct.Struct("<4sQ2H2L4Q")
_ZIP64_LOCATOR = struct.Struct("<4sLQL")
_ZIP64_EXTRA = struct.Struct("<2HQ")

_VERSION = 20
_ZIP64_VERSION = 45
_UNIX = 3 << 8
_UTF8 = 1 << 11
_STORED = 0
_TIME = 0
_DATE = (1 << 5) | 1
"""Date 1980-01-01, the earliest in the format. It is fixed, so that equal requests give equal archives."""
_MODE = 0o100644 << 16
_MAX16 = 0xFFFF
_MAX32 = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Entry:
    """One uncompressed file. `offset` is the position of its local header in the archive."""

    name: str
    offset: int
    size: int
    crc32: int


def local_header(name: str, size: int, crc32: int) -> bytes:
    """Return the local header of a file. Files of 4 GiB and more are not supported."""
    encoded = name.encode()
    fields = (_VERSION, _UTF8, _STORED, _TIME, _DATE, crc32, size, size, len(encoded), 0)
    return _LOCAL_HEADER.pack(b"PK\3\4", *fields) + encoded


def header_size(name: str) -> int:
    """Return the length of a file's local header, in bytes."""
    return _LOCAL_HEADER.size + len(name.encode())


def stored_member(name: str, data: bytes) -> bytes:
    """Return a file's local header followed by its data."""
    return local_header(name, len(data), zlib.crc32(data)) + data


def central_directory(entries: Iterable[Entry], start: int) -> bytes:
    """Return the central directory and the end records. Zip64 is used only where a number does not fit.

    `start` is the directory's position in the archive.
    """
    records = [_central_record(entry) for entry in entries]
    directory = b"".join(records)
    return directory + _end_records(len(records), len(directory), start)


def _central_record(entry: Entry) -> bytes:
    encoded = entry.name.encode()
    # The field of 32 bits holds its maximum when the true offset is in the Zip64 extra field.
    extra = _ZIP64_EXTRA.pack(1, 8, entry.offset) if entry.offset >= _MAX32 else b""
    version = _ZIP64_VERSION if extra else _VERSION
    fields = (_UNIX | version, version, _UTF8, _STORED, _TIME, _DATE, entry.crc32, entry.size, entry.size)
    rest = (len(encoded), len(extra), 0, 0, 0, _MODE, min(entry.offset, _MAX32))
    return _CENTRAL_RECORD.pack(b"PK\1\2", *fields, *rest) + encoded + extra


def _end_records(count: int, size: int, start: int) -> bytes:
    end64 = b""
    if count >= _MAX16 or size >= _MAX32 or start >= _MAX32:
        # The format does not count the signature and the size field itself (12 bytes) in the record's size.
        record = (_ZIP64_END_RECORD.size - 12, _UNIX | _ZIP64_VERSION, _ZIP64_VERSION, 0, 0, count, count, size, start)
        end64 = _ZIP64_END_RECORD.pack(b"PK\6\6", *record) + _ZIP64_LOCATOR.pack(b"PK\6\7", 0, start + size, 1)
    count16, size32, start32 = min(count, _MAX16), min(size, _MAX32), min(start, _MAX32)
    return end64 + _END_RECORD.pack(b"PK\5\6", 0, 0, count16, count16, size32, start32, 0)
