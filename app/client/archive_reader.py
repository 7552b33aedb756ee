"""Reads the images of an archive while it is downloaded. Each kind of archive has its own way to find the next file."""

from app.client.errors import DownloadError
from app.client.image import Image


class ArchiveReader:
    """A sink that makes images of the bytes of an archive. It keeps less than one file in memory."""

    def __init__(self) -> None:
        self.count = 0
        """Number of images read."""
        self._buffer = bytearray()
        self._size = 0

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
            image = self._image(*member)
            images += [] if image is None else [image]
        self.count += len(images)
        return images

    def restart(self) -> None:
        """Raise DownloadError: the caller has images of the archive that is no longer there."""
        raise DownloadError("the archive has changed while its images were read")

    def _next_member(self) -> tuple[str, bytes] | None:
        """Take the next file out of the buffer: its name and its bytes. None until it is complete."""
        raise NotImplementedError

    def _image(self, name: str, data: bytes) -> Image | None:
        """Return the image of a file; None if it is no image."""
        raise NotImplementedError
