"""Files of models in the store: the weights for a browser, the card and its pictures."""

from contextlib import suppress

from worker.contracts.model_files import ModelFile
from worker.contracts.store import paths
from worker.contracts.store.object_store import Objects


class ModelFileStore:
    """Writes and reads files of models. A model is known by the sha256 of its checkpoint."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def names(self, model_sha256: str) -> set[ModelFile]:
        """Return which files of a model there are."""
        found = set[ModelFile]()
        for path, *_ in self._objects.list(paths.model(model_sha256)):
            with suppress(ValueError):  # a newer version has stored it
                found.add(ModelFile(path.rpartition("/")[2]))
        return found

    def read(self, model_sha256: str, name: ModelFile) -> bytes | None:
        """Read a file; None if there is none."""
        return self._objects.read(paths.model_file(model_sha256, name))

    def write(self, model_sha256: str, name: ModelFile, data: bytes) -> None:
        """Write a file. An existing one is replaced."""
        self._objects.put(paths.model_file(model_sha256, name), data)
