"""Reads the images of a tar while it is downloaded. Source: POSIX.1-2017, pax, "ustar Interchange Format"."""

import json

from app.client.archive_reader import ArchiveReader
from app.client.image import Image
from app.client.options import SUFFIXES

_BLOCK = 512
_NAME = slice(0, 100)
_SIZE = slice(124, 136)
_METADATA = "json"


class TarReader(ArchiveReader):
    """Reads the images of a tar. The metadata of an image comes before it, under the same key."""

    def __init__(self, format: str) -> None:
        super().__init__()
        self._format = format
        self._suffix = SUFFIXES.get(format, format)
        self._label: str | None = None

    def _next_member(self) -> tuple[str, bytes] | None:
        if len(self._buffer) < _BLOCK:
            return None
        name = self._buffer[_NAME].rstrip(b"\0").decode()
        if not name:  # blocks of zeros are the end
            return None
        size = int(self._buffer[_SIZE].rstrip(b"\0"), 8)
        end = _BLOCK + size
        if len(self._buffer) < end + -end % _BLOCK:
            return None
        data = bytes(self._buffer[_BLOCK:end])
        del self._buffer[: end + -end % _BLOCK]
        return name, data

    def _image(self, name: str, data: bytes) -> Image | None:
        key, _, suffix = name.partition(".")
        if suffix == _METADATA:
            self._label = json.loads(data).get("label")
        return Image(int(key), self._label, self._format, data, name) if suffix == self._suffix else None
