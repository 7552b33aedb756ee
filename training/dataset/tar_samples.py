"""Reads the images of a tar in the WebDataset layout: KEY.png with KEY.cls and KEY.json beside it."""

import json
import tarfile
from functools import partial
from pathlib import Path

from training.dataset import source_paths
from training.dataset.file_kinds import IMAGE_SUFFIXES
from training.dataset.folder_files import check_size
from training.dataset.item import Item
from training.dataset.listing import ignore_reason
from training.errors import DatasetError

_CLASS, _METADATA = ".cls", ".json"
_BLOCK_BYTES = 512
"""A tar ends with at least two blocks of zeros."""


def items(path: Path) -> list[Item]:
    """Return the images of a tar in order, with their labels. Raises DatasetError.

    A label is `label` in the JSON of a sample, or the text of its `.cls`, or else the innermost folder.
    """
    members = _members(path)
    found = [name for name in members if source_paths.suffix(name) in IMAGE_SUFFIXES and not ignore_reason(name)]
    if not found:
        raise DatasetError(f"{path}: no images found among the {len(members)} files of the tar")
    return [Item(name, _label(path, members, name), partial(_read, path, members[name])) for name in sorted(found)]


def _members(path: Path) -> dict[str, tarfile.TarInfo]:
    try:
        # Items read their bytes by position, which a compressed tar does not allow.
        with tarfile.open(path, "r:") as archive:
            _check_end(path)
            return {each.name.removeprefix("./"): each for each in archive.getmembers() if each.isfile()}
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DatasetError(
            f"{path}: a damaged, compressed or incomplete tar ({error}); unpack it, or download it again"
        ) from error


def _check_end(path: Path) -> None:
    """Raise ReadError for a tar without its end. Python reads such a tar as a shorter one."""
    with path.open("rb") as file:
        file.seek(-_BLOCK_BYTES, 2)
        if any(file.read()):
            raise tarfile.ReadError("the end is missing")


def _label(path: Path, members: dict[str, tarfile.TarInfo], name: str) -> str | None:
    key = name.removesuffix(source_paths.suffix(name))
    if metadata := members.get(key + _METADATA):
        try:
            label = json.loads(_read(path, metadata)).get("label")
        except (ValueError, AttributeError, DatasetError):
            label = None
        if isinstance(label, str):
            return label
    if number := members.get(key + _CLASS):
        return _read(path, number).decode(errors="replace").strip()
    return next(reversed(source_paths.folders(name)), None)


def _read(path: Path, member: tarfile.TarInfo) -> bytes:
    check_size(member.size)
    with path.open("rb") as file:
        file.seek(member.offset_data)
        data = file.read(member.size)
    if len(data) != member.size:
        raise DatasetError(f"incomplete in the tar: {len(data)} of {member.size} bytes")
    return data
