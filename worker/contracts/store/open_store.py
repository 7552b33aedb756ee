"""Opens the store of a process, and reports an unusable one as an error of the settings."""

import os
from pathlib import Path

from worker.contracts.errors import SettingsError
from worker.contracts.store.store import PATIENCE_SECONDS, Store
from worker.contracts.store.store_errors import StoreError


def open_store(url: str, patience_seconds: float = PATIENCE_SECONDS) -> Store:
    """Open a folder or a bucket. Raises SettingsError if the URL is invalid or the folder cannot be written."""
    try:
        store = Store(url, patience_seconds)
        if "://" not in url:
            _check_permission(Path(url))
    except (OSError, StoreError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise SettingsError(
            f"IMAGEMILL_STORE is {url!r}: it cannot be used ({reason}); it must be a folder that this user may write, "
            "or a URL like s3://bucket/prefix"
        ) from error
    return store


def _check_permission(folder: Path) -> None:
    """Raise PermissionError if a folder or a subfolder may not be written. A full disk does not prevent the start."""
    for path in (folder, *filter(Path.is_dir, folder.iterdir())):
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(f"no permission to write {path}")
