"""The source of synthetic images: a checkpoint, or images that a checkpoint has made."""

import hashlib
import re
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from models.checkpoint import Header, read_header
from training.errors import MetricsError
from training.metrics import evaluation, sample_files

_CARD = "README.md"
_MODEL = re.compile(r"^\| model sha256 \| `([0-9a-f]{64})` \|$", re.MULTILINE)
"""The row of a service's dataset card that names the checkpoint."""


@dataclass(frozen=True)
class Source:
    """Synthetic images, and the checkpoint that made them."""

    path: Path
    """A checkpoint, or a folder or zip of images."""
    made_by: Path | None = None
    """The checkpoint that made the images of a folder or zip, if it is known."""

    @property
    def is_files(self) -> bool:
        """Return whether the images exist already."""
        return sample_files.is_image_source(self.path)

    @property
    def name(self) -> str:
        """A name for tables."""
        return self.path.resolve().name if self.is_files or self.header is None else self.header.name

    @cached_property
    def header(self) -> Header | None:
        """The header of the checkpoint, or None if it is unknown. Raises CheckpointError."""
        path = self.made_by if self.is_files else self.path
        return read_header(path) if path else None


def find(source: str, made_by: str | None) -> Source:
    """Return the source of a path or the name of a shipped model.

    Raises ModelError when there is none, and MetricsError when images were not made by the checkpoint `made_by`.
    """
    path = evaluation.find(source)
    if made_by is None:
        return Source(path)
    found = Source(path, evaluation.find(made_by))
    if not found.is_files:
        raise MetricsError(f"--made-by is for images; {source} is a checkpoint itself")
    _check_maker(found)
    return found


def _check_maker(source: Source) -> None:
    match = _MODEL.search(_card(source.path))
    if match is None:
        raise MetricsError(f"{source.path}: has no {_CARD} that names its checkpoint; leave --made-by out")
    digest = hashlib.sha256(source.made_by.read_bytes()).hexdigest() if source.made_by else ""
    if digest != match[1]:
        raise MetricsError(
            f"{source.path}: was made by a checkpoint with sha256 {match[1][:12]}, "
            f"and {source.made_by} has {digest[:12]}"
        )


def _card(path: Path) -> str:
    if path.is_dir():
        card = path / _CARD
        return card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    if not zipfile.is_zipfile(path):
        return ""
    with zipfile.ZipFile(path) as archive:
        return archive.read(_CARD).decode(errors="replace") if _CARD in archive.namelist() else ""
