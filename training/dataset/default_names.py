"""Names that people and files can use: of data sets, after their source, and of models, after their data."""

import hashlib
import re
import unicodedata
from pathlib import Path

_ARCHIVE = re.compile(r"\.zip$", re.IGNORECASE)
_MOST_CHARACTERS = 64
_HASH_CHARACTERS = 6


def of_source(source: Path) -> str:
    """Name a data set after its folder or zip, also where that is given as `.`."""
    if source.is_dir():
        name = source.name if source.name not in {"", ".."} else source.resolve().name
    else:
        name = _ARCHIVE.sub("", source.name)
    shown = "".join(c if c.isprintable() else " " for c in name.encode(errors="replace").decode())
    return " ".join(shown.split()) or "data"


def of_model(data: str, resolution: int) -> str:
    """Name a model after its data: lower case, ASCII, at most 64 characters. What is lost is made up for by a hash."""
    plain = unicodedata.normalize("NFKD", data.lower())
    ascii_only = "".join(c for c in plain if c.isascii())
    slug = re.sub(r"[^a-z0-9._-]+", "-", ascii_only).strip("-._")
    end = f"-{resolution}"
    lost = any(unicodedata.category(c)[0] in "LNS" for c in plain if not c.isascii())
    if lost or len(slug) + len(end) > _MOST_CHARACTERS or not slug:
        digest = hashlib.sha256(data.encode(errors="replace")).hexdigest()[:_HASH_CHARACTERS]
        kept = slug[: _MOST_CHARACTERS - len(end) - _HASH_CHARACTERS - 1].strip("-._") or "data"
        slug = f"{kept}-{digest}"
    return slug + end
