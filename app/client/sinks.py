"""Places for the bytes of a download."""

import hashlib
import os
from collections.abc import Iterable
from typing import IO, Never, Protocol, TypeVar

from app.client.errors import DownloadError

_READ_BYTES = 1 << 20

T_co = TypeVar("T_co", covariant=True)


class Sink(Protocol[T_co]):
    """Receives the bytes of a download in order, and makes items of them."""

    @property
    def size(self) -> int:
        """Number of bytes received."""

    def append(self, chunk: bytes) -> Iterable[T_co]:
        """Receive the next bytes. Return the items that they complete."""

    def restart(self) -> None:
        """Forget all bytes. Raises DownloadError if that is impossible."""


class FileSink:
    """Appends to a file.

    A stream, such as a pipe, cannot be read back or truncated. It counts as empty at first, and keeps all bytes.
    """

    def __init__(self, file: IO[bytes], *, is_stream: bool = False) -> None:
        self._file = file
        self._is_stream = is_stream
        self._size = 0 if is_stream else file.seek(0, os.SEEK_END)

    @property
    def size(self) -> int:
        """Number of bytes in the file."""
        return self._size

    def append(self, chunk: bytes) -> Iterable[Never]:
        """Write the next bytes."""
        self._file.write(chunk)
        self._size += len(chunk)
        return ()

    def sha256(self) -> bytes | None:
        """Return the SHA-256 of the file, which is read back; None if that is impossible."""
        if self._is_stream or not self._file.readable():
            return None
        self._file.flush()
        self._file.seek(0)
        digest = hashlib.sha256()
        while chunk := self._file.read(_READ_BYTES):
            digest.update(chunk)
        return digest.digest()

    def restart(self) -> None:
        """Empty the file."""
        if self._is_stream:
            raise DownloadError("the archive has changed, and the part that was already written cannot be replaced")
        self._file.truncate(0)
        self._file.seek(0)
        self._size = 0
