"""The version of the service, with which an open page notices an upgrade."""

import hashlib
from functools import lru_cache
from importlib.metadata import version

from app.api.page_files import load_page_files


@lru_cache(1)
def build_id() -> str:
    """Return the version of the package, and a checksum of the files of the page."""
    digest = hashlib.sha256()
    for path, file in sorted(load_page_files().items()):
        digest.update(f"{path} {file.etag}\n".encode())
    return f"{version('imagemill')}+{digest.hexdigest()[:12]}"
