"""Distilled models in the store. The oldest are removed if there are too many, because they can be distilled again."""

from worker.contracts.store import paths
from worker.contracts.store.object_store import Objects


class DistilledStore:
    """Writes and reads distilled models, and the states of distillations that have not ended."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def weights(self, key: str) -> bytes | None:
        """Read the weights of a distilled model; None if there are none."""
        return self._objects.read(paths.distilled_weights(key))

    def has_weights(self, key: str) -> bool:
        """Return whether a distilled model is finished, without a read of its weights."""
        path = paths.distilled_weights(key)
        return any(listed.path == path for listed in self._objects.list(f"{paths.DISTILLED}/{key}"))

    def state(self, key: str) -> bytes | None:
        """Read the state of a distillation that has not ended; None if there is none."""
        return self._objects.read(paths.distillation_state(key))

    def keep_weights(self, key: str, weights: bytes, most_bytes: int) -> None:
        """Store the weights of a distilled model, then remove the oldest objects beyond `most_bytes`."""
        # The weights come first: if this process dies in between, the state is useless but does no harm.
        self._objects.put(paths.distilled_weights(key), weights)
        self._objects.delete(paths.distillation_state(key))
        self._remove_oldest(key, most_bytes)

    def keep_state(self, key: str, state: bytes, most_bytes: int) -> None:
        """Store the state of a distillation, then remove the oldest objects beyond `most_bytes`."""
        self._objects.put(paths.distillation_state(key), state)
        self._remove_oldest(key, most_bytes)

    def _remove_oldest(self, key: str, most_bytes: int) -> None:
        """Remove the oldest objects beyond `most_bytes`, except those of `key`."""
        found = sorted(self._objects.list(paths.DISTILLED), key=lambda listed: listed.modified)
        excess = sum(listed.size for listed in found) - most_bytes
        for listed in found:
            if excess > 0 and not listed.path.startswith(f"{paths.DISTILLED}/{key}/"):
                self._objects.delete(listed.path)
                excess -= listed.size
