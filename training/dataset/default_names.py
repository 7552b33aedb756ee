"""Default names: of datasets by their source, and of models by their data."""

import hashlib
import re
import unicodedata
from pathlib import Path

_ARCHIVE = re.compile(r"\.zip$", re.IGNORECASE)
_MOST_CHARACTERS = 64
_HASH_CHARACTERS = 6


def of_source(source: Path) -> str:
    """Return a dataset's name: that of its folder or zip, even if the folder is given as `.`."""
    if source.is_dir():
        name = source.name if source.name not in {"", ".."} else source.resolve().name
    else:
        name = _ARCHIVE.sub("", source.name)
    shown = "".join(c if c.isprintable() else " " for c in name.encode(errors="replace").decode())
    return " ".join(shown.split()) or "data"


def of_model(data: str, resolution: int) -> str:
    """Return a model's name: lower case, ASCII, at most 64 characters. A hash replaces dropped characters."""
    plain = unicodedata.normalize("NFKD", data.lower())
    ascii_only = "".join(c for c in plain if c.isascii())
    slug = re.sub(r"[^a-z0-9._-]+", "-", ascii_only).strip("-._")
    end = f"-{resolution}"
    # Letters, numbers and symbols count; accents do not.
    lost = any(unicodedata.category(c)[0] in "LNS" for c in plain if not c.isascii())
    if lost or len(slug) + len(end) > _MOST_CHARACTERS or not slug:
        digest = hashlib.sha256(data.encode(errors="replace")).hexdigest()[:_HASH_CHARACTERS]
        kept = slug[: _MOST_CHARACTERS - len(end) - _HASH_CHARACTERS - 1].strip("-._") or "data"
        slug = f"{kept}-{digest}"
    return slug + end
