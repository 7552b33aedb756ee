"""Distilled models in the store. They can be distilled again, so the oldest are removed when there are too many."""

from worker.contracts.store import paths
from worker.contracts.store.object_store import Objects


class DistilledStore:
    """Writes and reads distilled models, and the states of distillations that have not ended."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def weights(self, key: str) -> bytes | None:
        """Read the weights of a generator that has learnt a style."""
        return self._objects.read(paths.distilled_weights(key))

    def state(self, key: str) -> bytes | None:
        """Read the state of a generator that learns a style."""
        return self._objects.read(paths.distillation_state(key))

    def keep_weights(self, key: str, weights: bytes, most_bytes: int) -> None:
        """Keep the weights of a generator that has learnt a style, and not more than so many bytes of such."""
        self._objects.put(paths.distilled_weights(key), weights)
        self._objects.delete(paths.distillation_state(key))
        self._make_room(key, most_bytes)

    def keep_state(self, key: str, state: bytes, most_bytes: int) -> None:
        """Keep the state of a generator that learns a style, and not more than so many bytes of such."""
        self._objects.put(paths.distillation_state(key), state)
        self._make_room(key, most_bytes)

    def _make_room(self, key: str, most_bytes: int) -> None:
        """Remove what was written longest ago, but nothing of one key."""
        found = sorted(self._objects.list(paths.DISTILLED), key=lambda listed: listed.modified)
        excess = sum(listed.size for listed in found) - most_bytes
        for listed in found:
            if excess > 0 and not listed.path.startswith(f"{paths.DISTILLED}/{key}/"):
                self._objects.delete(listed.path)
                excess -= listed.size
