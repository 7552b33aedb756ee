"""Style images in the store. An image is stored once, and has an entry for each owner."""

from collections.abc import Iterator, Set

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
        # The reconciler removes an image without entries. It may have looked for entries just before this one.
        if not self._has_image(entry.id):
            self._objects.put(paths.style_image(entry.id), image)
        return is_new

    def _has_image(self, style_id: str) -> bool:
        path = paths.style_image(style_id)
        return any(found.path == path for found in self._objects.list(path.rpartition("/")[0]))

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

    def drop(self, owner: str, style_id: str) -> None:
        """Remove an owner's entry. The reconciler removes the image later if nothing needs it."""
        self._objects.put(paths.dropped_style(style_id), b"")
        self._objects.sync(paths.dropped_style(style_id))
        self._objects.delete(paths.style_entry(owner, style_id))

    def dropped(self) -> set[str]:
        """Return the ids of the styles that an owner has removed, and whose images may still be there."""
        return {found.path.rpartition("/")[2] for found in self._objects.list(paths.DROPPED)}

    def owned(self, style_ids: Set[str]) -> set[str]:
        """Return those of the styles that an owner has."""
        entries = {found.path.rpartition("/")[2].removesuffix(".json") for found in self._objects.list(paths.OWNED)}
        return {each for each in style_ids if each in entries or self._objects.read(paths.style_entry("", each))}

    def keep(self, style_id: str) -> None:
        """Forget that an owner has removed a style, because an owner has it."""
        self._objects.delete(paths.dropped_style(style_id))

    def remove_image(self, style_id: str) -> None:
        """Remove an image that nothing needs. If it has been uploaded in this moment, it stays."""
        image = self._objects.read(paths.style_image(style_id))
        self._objects.delete(paths.style_image(style_id))
        # An upload writes the image, then the entry, and then looks for the image. So one of both sees the other.
        if image is not None and self.owned({style_id}):
            self._objects.put(paths.style_image(style_id), image)
        self._objects.delete(paths.dropped_style(style_id))
