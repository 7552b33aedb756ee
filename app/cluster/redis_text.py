"""Decodes a string that Redis returned."""


def redis_text(value: bytes | str) -> str:
    """Return the text of a value. Our connections return bytes, but the types of redis-py also allow text."""
    return value if isinstance(value, str) else value.decode()
