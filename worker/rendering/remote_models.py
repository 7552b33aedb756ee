"""Fetches the checkpoints of a bucket, so that workers on several hosts have the same models."""

import logging
import time
from pathlib import Path
from tempfile import mkdtemp

from worker.contracts.logs import fields
from worker.contracts.store.object_store import Objects
from worker.contracts.store.store_errors import StoreError
from worker.contracts.throttled_log import ThrottledLogger

_PATIENCE_SECONDS = 30.0
_RETRY_SECONDS = 2.0

log = logging.getLogger(__name__)
_throttled_log = ThrottledLogger(log)


def find_models_folder(models: str | None) -> Path | None:
    """Return the folder of checkpoints that a setting names. The objects of a URL are copied to a new folder.

    While the bucket cannot be used, the copy is tried again.
    """
    if models is None or "://" not in models:
        return None if models is None else Path(models)
    folder = Path(mkdtemp(prefix="imagemill-models-"))
    while True:
        try:
            count = _copy(models, folder)
        except StoreError as error:
            _throttled_log.error("models were not fetched", extra=fields(models=models, reason=error))
            time.sleep(_RETRY_SECONDS)
        else:
            log.info("models were fetched", extra=fields(models=models, files=count))
            return folder


def _copy(url: str, folder: Path) -> int:
    """Copy the objects of a bucket, but none of its subfolders. Returns their number."""
    objects = Objects(url, (), _PATIENCE_SECONDS)
    names = [found.path for found in objects.list("") if "/" not in found.path]
    for name in names:
        data = objects.read(name)
        if data is not None:  # it was removed meanwhile
            (folder / name).write_bytes(data)
    return len(names)
