"""One image of a source, or one file that was set aside unread."""

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
    """Reason for setting it aside unread."""
    box: Box | None = None
    """Part of the image to use; None for the whole image."""


def rejected_item(name: str, reason: str) -> Item:
    """Create an item that is set aside for a reason."""

    def read() -> bytes:
        raise DatasetError(reason)

    return Item(name, None, read, reason)
