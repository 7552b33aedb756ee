"""Range requests, as far as one range of bytes goes. Source: RFC 9110, section 14."""

import re
from dataclasses import dataclass

_SPEC = re.compile(r"(\d{0,19})-(\d{0,19})", re.ASCII)


class UnsatisfiableError(Exception):
    """No byte of the representation lies in the range that was asked for."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes start to stop - 1 of a representation of so many bytes."""

    start: int
    stop: int
    size: int

    @property
    def length(self) -> int:
        """Number of bytes."""
        return self.stop - self.start

    @property
    def content_range(self) -> str:
        """Value of the header Content-Range."""
        return f"bytes {self.start}-{self.stop - 1}/{self.size}"


def parse(header: str | None, size: int) -> ByteRange | None:
    """Read a Range header; None stands for the whole representation.

    What cannot be read, other units and several ranges at once are answered with the whole, as the RFC allows.
    Raises UnsatisfiableError.
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
