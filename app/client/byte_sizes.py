"""Sizes in bytes, as text for people."""

_UNITS = ("kB", "MB", "GB", "TB", "PB")


def readable(size: int) -> str:
    """Return a size with a decimal unit, such as `1.5 MB`."""
    if size < 1000:
        return "1 byte" if size == 1 else f"{size} bytes"
    power = min((len(str(size)) - 1) // 3, len(_UNITS))
    return f"{size / 1000**power:,.1f} {_UNITS[power - 1]}"
