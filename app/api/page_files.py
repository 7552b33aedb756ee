"""The static files of the web page. They are read once, when the process starts, and its modules are joined."""

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from app.api.page_scripts import join_scripts

_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
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
    contents = dict(_read_folder(files("app") / "ui", ""))
    scripts = join_scripts({path: data.decode() for path, data in contents.items() if _is_module(path)})
    contents |= {path: text.encode() for path, text in scripts.items()}
    return {path: _page_file(path, data) for path, data in contents.items()}


def _is_module(path: str) -> bool:
    return path.endswith(".js") and not path.startswith("vendor/")


def _read_folder(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for each in folder.iterdir():
        path = prefix + each.name
        if each.is_dir():
            yield from _read_folder(each, f"{path}/")
        elif _suffix(path) in _MEDIA_TYPES:
            yield path, each.read_bytes()


def _suffix(path: str) -> str:
    return f".{path.rpartition('.')[2]}"


def _page_file(path: str, data: bytes) -> PageFile:
    gzipped = gzip.compress(data, mtime=0)
    smaller = gzipped if len(gzipped) < len(data) else data
    return PageFile(data, smaller, _MEDIA_TYPES[_suffix(path)], f'"{sha256(data).hexdigest()[:32]}"')
