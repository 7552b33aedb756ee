"""Puts the files of the loaded models into the store, so that the API can serve them without a tensor library."""

import logging
from threading import Event

from models.errors import ModelError
from worker.contracts.logs import fields
from worker.contracts.model_files import ModelFile
from worker.contracts.store.model_file_store import ModelFileStore
from worker.contracts.store.store_errors import StoreError
from worker.contracts.throttled_log import ThrottledLogger
from worker.errors import ModelUnavailableError
from worker.rendering.engine import RenderEngine
from worker.rendering.loaded_model import LoadedModel
from worker.rendering.model_files import files_beside, pack_for_browsers

_RETRY_SECONDS = 5.0

log = logging.getLogger(__name__)
_throttled_log = ThrottledLogger(log)


def publish_models(files: ModelFileStore, engine: RenderEngine, stopping: Event) -> None:
    """Store the files of all models. While the store cannot be used, try again until the worker stops."""
    for entry in engine.entries:
        while not _is_published(files, engine.model(entry)):
            if stopping.wait(_RETRY_SECONDS):
                return


def _is_published(files: ModelFileStore, model: LoadedModel) -> bool:
    """Store the files of one model. Returns False if another attempt may succeed."""
    try:
        _publish(files, model)
    except StoreError as error:
        _throttled_log.warning("files of a model were not stored", extra=fields(model=model.entry.name, reason=error))
        return False
    except (ModelError, ModelUnavailableError, OSError) as error:
        log.warning("files of a model were not read", extra=fields(model=model.entry.name, reason=error))
    return True


def _publish(files: ModelFileStore, model: LoadedModel) -> None:
    sha256 = model.entry.sha256
    stored = files.names(sha256)
    if ModelFile.ENGINE not in stored:
        for name, data in pack_for_browsers(model.path, sha256).items():
            files.write(sha256, name, data)
    for name, path in files_beside(model.path).items():
        data = path.read_bytes()
        # These files can change while the checkpoint stays the same.
        if name not in stored or files.read(sha256, name) != data:
            files.write(sha256, name, data)
