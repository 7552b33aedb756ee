"""One image of a source, or one that was set aside unread."""

from collections.abc import Callable
from dataclasses import dataclass

from training.dataset.framing import Box
from training.errors import DatasetError


@dataclass(frozen=True)
class Item:
    """One image of a source."""

    name: str
    """Path inside the source, with forward slashes."""
    label: str | None
    read: Callable[[], bytes]
    """Raises DatasetError or OSError when the file cannot be used."""
    reason: str | None = None
    """Why it is set aside unread."""
    box: Box | None = None
    """The part of the image to be used; without one, all of it."""


def rejected_item(name: str, reason: str) -> Item:
    """Make an item that is set aside for a reason."""

    def read() -> bytes:
        raise DatasetError(reason)

    return Item(name, None, read, reason)
