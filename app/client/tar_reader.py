"""Reads the images of a tar while it is downloaded. Source: POSIX.1-2017, pax, "ustar Interchange Format"."""

import json

from app.client.errors import DownloadError
from app.client.image import Image
from app.client.options import SUFFIXES

_BLOCK = 512
_NAME = slice(0, 100)
_SIZE = slice(124, 136)
_METADATA = "json"


class TarReader:
    """A sink that makes images of the bytes of a tar. The metadata of an image comes before it, under the same key."""

    def __init__(self, format: str) -> None:
        self.count = 0
        """Number of images read."""
        self._format = format
        self._suffix = SUFFIXES.get(format, format)
        self._buffer = bytearray()
        self._size = 0
        self._label: str | None = None

    @property
    def size(self) -> int:
        """Number of bytes received."""
        return self._size

    def append(self, chunk: bytes) -> list[Image]:
        """Receive the next bytes of the archive. Return the images that are now complete."""
        self._size += len(chunk)
        self._buffer += chunk
        images = list[Image]()
        while (member := self._next_member()) is not None:
            key, _, suffix = member[0].partition(".")
            if suffix == _METADATA:
                self._label = json.loads(member[1]).get("label")
            elif suffix == self._suffix:
                images.append(Image(int(key), self._label, self._format, member[1], member[0]))
        self.count += len(images)
        return images

    def restart(self) -> None:
        """Raise DownloadError: the caller has images of the archive that is no longer there."""
        raise DownloadError("the archive has changed while its images were read")

    def _next_member(self) -> tuple[str, bytes] | None:
        """Take the next member out of the buffer: its name and its bytes. None until it is complete."""
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
