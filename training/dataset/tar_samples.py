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


def items(path: Path) -> list[Item]:
    """Return the images of a tar in order, with their labels. Raises DatasetError.

    A label is `label` in the JSON of a sample, or the text of its `.cls`, or else the innermost folder.
    """
    archive, members = _opened(path)
    found = [name for name in members if source_paths.suffix(name) in IMAGE_SUFFIXES and not ignore_reason(name)]
    if not found:
        raise DatasetError(f"{path}: no images found among the {len(members)} files of the tar")
    return [
        Item(name, _label(archive, members, name), partial(_read, archive, members[name])) for name in sorted(found)
    ]


def _opened(path: Path) -> tuple[tarfile.TarFile, dict[str, tarfile.TarInfo]]:
    try:
        archive = tarfile.open(path)  # noqa: SIM115  # items read it later
        return archive, {member.name.removeprefix("./"): member for member in archive.getmembers() if member.isfile()}
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DatasetError(f"{path}: a damaged or incomplete tar ({error}); download or make it again") from error


def _label(archive: tarfile.TarFile, members: dict[str, tarfile.TarInfo], name: str) -> str | None:
    key = name.removesuffix(source_paths.suffix(name))
    if metadata := members.get(key + _METADATA):
        try:
            label = json.loads(_read(archive, metadata)).get("label")
        except (ValueError, AttributeError, DatasetError):
            label = None
        if isinstance(label, str):
            return label
    if number := members.get(key + _CLASS):
        return _read(archive, number).decode(errors="replace").strip()
    return next(reversed(source_paths.folders(name)), None)


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    check_size(member.size)
    try:
        file = archive.extractfile(member)
        data = b"" if file is None else file.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DatasetError(f"damaged in the tar ({error})") from error
    if len(data) != member.size:
        raise DatasetError(f"incomplete in the tar: {len(data)} of {member.size} bytes")
    return data
