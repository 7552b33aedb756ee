"""The files of models, which workers have put into the store."""

import hashlib
import logging
import time
from http import HTTPStatus
from typing import NamedTuple

from app.errors import ApiError, join_names
from worker.contracts.logs import fields
from worker.contracts.model_files import ModelFile
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import StoreError
from worker.contracts.throttled_log import ThrottledLogger

_DRAWING = frozenset({ModelFile.ENGINE, ModelFile.WEIGHTS})
"""Files from which a browser draws images. Their content never changes."""
_LISTING_SECONDS = 5.0
"""Time for which a list of files is used again."""

log = logging.getLogger(__name__)


class ServedFile(NamedTuple):
    """A file of a model, and how long it may be cached."""

    data: bytes
    etag: str
    is_immutable: bool


class ModelFiles:
    """Lists and reads the files of models. `is_private` keeps the weights on the server."""

    def __init__(self, store: Store, *, is_private: bool) -> None:
        self._files = store.model_files
        self._is_private = is_private
        self._listings = dict[str, tuple[float, list[ModelFile]]]()
        self._throttled_log = ThrottledLogger(log)

    def names(self, model_sha256: str) -> list[ModelFile]:
        """Return which files of a model can be read. While the store cannot be used, there are none."""
        listed, names = self._listings.get(model_sha256, (0.0, []))
        if names and time.monotonic() - listed < _LISTING_SECONDS:
            return names
        try:
            names = sorted(self._files.names(model_sha256) - (_DRAWING if self._is_private else frozenset()))
        except (StoreError, OSError) as error:
            self._throttled_log.warning("files of models were not listed", extra=fields(reason=error))
            return []
        self._listings[model_sha256] = (time.monotonic(), names)
        return names

    def read(self, model_sha256: str, name: ModelFile) -> ServedFile:
        """Read a file. Raises ApiError if there is none, or if it is private."""
        is_immutable = name in _DRAWING
        if is_immutable and self._is_private:
            detail = "this service keeps the weights of its models (IMAGEMILL_WEIGHTS=private); use POST /preview"
            raise ApiError(HTTPStatus.FORBIDDEN, "weights_private", detail)
        data = self._files.read(model_sha256, name)
        if data is None:
            there = join_names(self.names(model_sha256))
            detail = f"the model {model_sha256[:12]} has no file {name}; it has {there}"
            raise ApiError(HTTPStatus.NOT_FOUND, "unknown_model_file", detail)
        # The name of an immutable file is as good as its checksum, and megabytes need not be hashed for each request.
        tag = f"{model_sha256}-{name}" if is_immutable else hashlib.sha256(data).hexdigest()
        return ServedFile(data, f'"{tag}"', is_immutable)
