"""The static files of the web page. They are read once, when the process starts."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
}
"""Media types by suffix. Files with other suffixes are not served. The tables of the operating system can be wrong."""


@dataclass(frozen=True)
class PageFile:
    """One file, as it is sent."""

    data: bytes
    gzipped: bytes
    """The file compressed by gzip; the file itself if that is not smaller."""
    media_type: str
    etag: str
    """Quoted checksum of the content."""

    @property
    def is_compressible(self) -> bool:
        """Whether compression makes the file smaller."""
        return len(self.gzipped) < len(self.data)


@cache
def load_page_files() -> Mapping[str, PageFile]:
    """Return all files of the page by their paths below `ui/`, such as `shell/api.js`. The first call reads them."""
    return dict(_read_folder(files("app") / "ui", ""))


def _read_folder(folder: Traversable, prefix: str) -> list[tuple[str, PageFile]]:
    found = []
    for each in folder.iterdir():
        path, suffix = prefix + each.name, f".{each.name.rpartition('.')[2]}"
        if each.is_dir():
            found += _read_folder(each, f"{path}/")
        elif suffix in _MEDIA_TYPES:
            found.append((path, _read_file(each, _MEDIA_TYPES[suffix])))
    return found


def _read_file(file: Traversable, media_type: str) -> PageFile:
    data = file.read_bytes()
    gzipped = gzip.compress(data, mtime=0)
    smaller = gzipped if len(gzipped) < len(data) else data
    return PageFile(data, smaller, media_type, f'"{sha256(data).hexdigest()[:32]}"')
