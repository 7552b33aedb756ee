"""The subset of the tar format that an archive of small files needs. Pure functions that return bytes.

Source: POSIX.1-2017, pax, section "ustar Interchange Format".
"""

BLOCK = 512
"""Every header and every file begins at a multiple of this."""
END = bytes(2 * BLOCK)
"""The end of an archive."""

_NAME_BYTES = 100
_MAX_SIZE = 8**11 - 1
_CHECKSUM = slice(148, 156)
# Fields after the name: mode, owner, group, size, time, checksum, type, linked name, magic, version. All else is zero.
_BEFORE_SIZE = b"0000644\0" + b"0000000\0" * 2
_AFTER_SIZE = b"\0" + b"00000000000\0" + b" " * 8 + b"0" + bytes(100) + b"ustar\0" + b"00"
_REST = bytes(BLOCK - _NAME_BYTES - len(_BEFORE_SIZE) - 11 - len(_AFTER_SIZE))


def member(name: str, data: bytes) -> bytes:
    """Return a file with its header, up to the next block. Raises ValueError if the name or the file is too long."""
    return header(name, len(data)) + data + padding(len(data))


def header(name: str, size: int) -> bytes:
    """Return the header of a file of mode 0644 from the beginning of 1970, owned by user 0.

    `size` is in bytes. Raises ValueError if the name or the file is too long.
    """
    encoded = name.encode()
    if len(encoded) > _NAME_BYTES or size > _MAX_SIZE:
        raise ValueError(f"{name}: a name has at most {_NAME_BYTES} bytes, and a file at most {_MAX_SIZE}")
    block = bytearray(encoded.ljust(_NAME_BYTES, b"\0") + _BEFORE_SIZE + b"%011o" % size + _AFTER_SIZE + _REST)
    block[_CHECKSUM] = b"%06o\0 " % sum(block)
    return bytes(block)


def padding(size: int) -> bytes:
    """Return the zeros between the end of a file and the next block."""
    return bytes(-size % BLOCK)
