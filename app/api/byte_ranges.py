"""Parses Range headers with one byte range. Source: RFC 9110, section 14."""

import re
from dataclasses import dataclass

_SPEC = re.compile(r"(\d{0,19})-(\d{0,19})", re.ASCII)


class UnsatisfiableError(Exception):
    """The requested range contains no byte of the representation."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `start` to `stop - 1` of a representation with `size` bytes."""

    start: int
    stop: int
    size: int

    @property
    def length(self) -> int:
        """Number of bytes in the range."""
        return self.stop - self.start

    @property
    def content_range(self) -> str:
        """Value of the Content-Range header."""
        return f"bytes {self.start}-{self.stop - 1}/{self.size}"


def parse(header: str | None, size: int) -> ByteRange | None:
    """Parse a Range header. None means the whole representation.

    Malformed headers, other units and several ranges also give None, as the RFC allows.
    Raises UnsatisfiableError if the representation has no byte in the range.
    """
    unit, _, specs = (header or "").partition("=")
    match = _SPEC.fullmatch(specs.strip())
    if unit.strip().lower() != "bytes" or match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first and last and int(first) > int(last):
        return None
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    if start >= stop:
        raise UnsatisfiableError
    return ByteRange(start, stop, size)
