"""Style images in the store. An image is stored once, and has an entry for each owner."""

from collections.abc import Iterator

from worker.contracts.store import paths
from worker.contracts.store.object_store import Objects
from worker.contracts.store.store_errors import DamagedError
from worker.contracts.styles import StyleEntry


class StyleStore:
    """Writes and reads style images."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def add(self, entry: StyleEntry, image: bytes) -> bool:
        """Store a style image for its owner. Returns False if the owner has it already."""
        path = paths.style_entry(entry.owner, entry.id)
        # The image comes before the entry that lists it. Another owner's upload of it writes the same bytes.
        self._objects.put(paths.style_image(entry.id), image)
        self._objects.sync(paths.style_image(entry.id))
        is_new = self._objects.create(path, entry.model_dump_json().encode())
        self._objects.sync(path)
        return is_new

    def entry(self, owner: str, style_id: str) -> StyleEntry | None:
        """Read the entry of an owner's style; None if the owner does not have it."""
        return self._objects.parse(paths.style_entry(owner, style_id), StyleEntry)

    def entries(self, owner: str) -> Iterator[StyleEntry]:
        """Yield the entries of an owner's styles."""
        for path, *_ in self._objects.list(paths.style_entries(owner)):
            if path.endswith(".json") and (entry := self._objects.parse(path, StyleEntry)):
                yield entry

    def image(self, style_id: str) -> bytes:
        """Read a style image as PNG. Raises DamagedError if it is missing."""
        data = self._objects.read(paths.style_image(style_id))
        if data is None:
            raise DamagedError(f"the picture of style {style_id} is gone")
        return data
