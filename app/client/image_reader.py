"""Reads the images of a ZIP while it is downloaded. Source: PKWARE APPNOTE 6.3.10, section 4.3.7."""

import re
import struct
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath

from app.client.archive_reader import ArchiveReader
from app.client.errors import DownloadError
from app.client.image import Image

_LOCAL = struct.Struct("<4s5H3L2H")
"""Local file header: signature, version, flags, method, time, date, crc32, size, full size, name and extra lengths."""
_SIGNATURE = b"PK\3\4"
_FOLDER = "images"


class ImageReader(ArchiveReader):
    """Reads the images of a ZIP. `labels` maps the names of class folders to classes."""

    def __init__(self, format: str, labels: Mapping[str, str]) -> None:
        super().__init__()
        self._format = format
        self._labels = labels
        self._has_ended = False

    def _next_member(self) -> tuple[str, bytes] | None:
        if self._has_ended or len(self._buffer) < _LOCAL.size:
            return None
        signature, *_, crc32, size, _full_size, name_length, extra_length = _LOCAL.unpack_from(self._buffer)
        if signature != _SIGNATURE:  # the central directory begins; the images stand before it
            self._has_ended = True
            self._buffer.clear()
            return None
        start = _LOCAL.size + name_length + extra_length
        if len(self._buffer) < start + size:
            return None
        name = self._buffer[_LOCAL.size : _LOCAL.size + name_length].decode()
        data = bytes(self._buffer[start : start + size])
        del self._buffer[: start + size]
        if zlib.crc32(data) != crc32:
            raise DownloadError(f"{name} arrived damaged: its checksum differs")
        return name, data

    def _image(self, name: str, data: bytes) -> Image | None:
        path = PurePosixPath(name)
        if path.parts[0] != _FOLDER:
            return None
        folder = path.parts[1] if len(path.parts) > 2 else None
        label = None if folder is None else self._labels.get(folder, folder)
        return Image(int(path.stem), label, self._format, data, str(path))


def class_folder(label: str) -> str:
    """Return the name of the folder in which archives have the images of a class."""
    # As in worker/archive, which the client must not import.
    safe = re.sub(r"[^\w .-]", lambda match: f"%{ord(match[0]):02X}", label)
    return re.sub(r"^\.", "%2E", safe)
