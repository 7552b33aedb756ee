"""Replaces what differs between two runs by placeholders: ids, hashes, times and the names of this machine."""

import re
import socket
from collections.abc import Mapping

_PATTERNS = {
    rf"{re.escape(socket.gethostname())}-[0-9a-f]{{32}}": "<worker>",
    r"[0-9a-f]{64}": "<sha256>",
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}": "<uuid>",
    r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])": "<attempt>",
    r"(?<=due/)\d+": "<time>",
    r"\d{6}/\d{7}(?=\.<)": "<time>",
    r"(?<=<job>-)\d+": "<shard>",
}


def replaced(text: str, known: Mapping[str, str]) -> str:
    """Replace known texts first, then what looks like an id."""
    for value, name in known.items():
        text = text.replace(value, name)
    for pattern, name in _PATTERNS.items():
        text = re.sub(pattern, name, text)
    return text
