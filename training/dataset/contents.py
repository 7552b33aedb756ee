"""The files of a source by kind, and the reasons for leaving files out."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from training.dataset import boxes, folder_files, source_paths, zip_members
from training.dataset.file_kinds import IMAGE_SUFFIXES, kind_of, refusal
from training.dataset.item import Item, rejected_item
from training.dataset.listing import File, Listing, Skipped
from training.dataset.vocabulary import is_container, split_of
from training.errors import DatasetError

_TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".json", ".jsonl"})
_ANNOTATION_BYTES = 512
_ANNOTATIONS = "annotations of boxes, to which --boxes FOLDER crops"

_RUN_FILES = ("/log.jsonl", "/state.safetensors")
_MASK_FOLDER = re.compile(
    r"masks?|ground[_ -]?truth|segmentation(?:s|class|object|classaug)?|seg|gt|labels?|annotations?"
)
_MASK_END = re.compile(r"[_-](?:masks?|seg|gt|labels?)$", re.IGNORECASE)
_RUN = re.compile(r"\d{5}-.+")


class Contents:
    """The files of a folder or a zip. Raises DatasetError when it is missing or has no image."""

    def __init__(self, path: Path, zip_names: str | None = None) -> None:
        self.path = path
        self._listing = _listed(path, zip_names)
        self.files = {file.name: file for file in self._listing.files}
        self.images: dict[str, File] = {}
        self.rejected = [rejected_item(name, reason) for name, reason in self._listing.rejected]
        self._others: dict[str, None] = {}
        self._used: list[str] = []
        """Tables, annotations, and deliberately skipped pictures."""
        for file in self._listing.files:
            self._sort(file)
        self._leave_out(_in_folders(self.images, _run_folders(self.files, self.images)), "pictures of training runs")
        self._leave_out(_masks(self.images), "masks of other images")
        self._leave_out(_report_pictures(self.images, self.downloads()), "pictures of a report")
        if not self.images:
            looked = ", ".join(sorted(IMAGE_SUFFIXES))
            raise DatasetError(f"{path}: no images found (looked for {looked}){self._hint()}")

    @property
    def notes(self) -> list[str]:
        """Assumptions about the source."""
        return self._listing.notes

    def choose_split(self, split: str) -> None:
        """Keep the images of one split only. Raises DatasetError when no folder has that name."""
        parts = {name: source_paths.folders(name) for name in self.images}
        outside = [name for name in self.images if split.casefold() not in map(str.casefold, parts[name])]
        if len(outside) == len(self.images):
            names = sorted({part for found in parts.values() for part in found if split_of((part,))})
            raise DatasetError(f"--split {split}: no folder of that name holds images; splits are {names or 'none'}")
        self._used += outside
        for name in outside:
            self._listing.skipped.add(f"images outside of {split}", name)
            del self.images[name]

    def tables(self, name: str) -> list[tuple[bytes, str]]:
        """Read the tables with a name, and their folders. A file on disk is used only if the source has none."""
        inside = [name] if name in self.files else _ending(self.files, name)
        # An absolute path always means a file on disk.
        inside = [] if Path(name).is_absolute() else inside
        self._use(inside)
        if inside:
            return [(self.files[table].read(), source_paths.parent(table)) for table in inside]
        return [(Path(name).read_bytes(), "")] if Path(name).is_file() else []

    def other_tables(self) -> list[str]:
        """Return the names of files that may be tables of labels."""
        return [name for name in self._others if source_paths.suffix(name) in _TABLE_SUFFIXES]

    def downloads(self) -> frozenset[str]:
        """Return the folders of unpacked downloads of the service, which have metadata."""
        return frozenset(
            source_paths.parent(name) for name in self.files if source_paths.name(name) == "metadata.jsonl"
        )

    def annotations(self, name: str) -> tuple[list[File], str] | None:
        """Return the annotations below a folder, in the source or on disk, and its path; None if it does not exist."""
        inside = [] if Path(name).is_absolute() else _ending(self._listing.folders, name)
        if not inside and not Path(name).is_dir():
            return None
        files = self._listing.files if inside else folder_files.list_folder(Path(name)).files
        place = inside[0] if inside else ""
        found = [file for file in files if (not place or file.name.startswith(f"{place}/")) and _is_annotation(file)]
        self._use(file.name for file in found)
        return found, place

    def skipped(self, used: Iterable[str]) -> Skipped:
        """Count the skipped files, and the folders without pictures next to used ones."""
        for name in self._others:
            is_marking = source_paths.suffix(name) in {".xml", ""} and _is_annotation(self.files[name])
            self._listing.skipped.add(_ANNOTATIONS if is_marking else "other files", name)
        full = source_paths.ancestors([*used, *self.images, *(item.name for item in self.rejected)])
        beside = {".", *map(source_paths.parent, full)}
        for name in sorted(self._listing.folders - full - source_paths.ancestors(self._used)):
            if source_paths.parent(name) in beside:
                self._listing.skipped.add("folders without a picture", f"{name}/")
        return self._listing.skipped

    def _use(self, names: Iterable[str]) -> None:
        for name in names:
            self._used.append(name)
            self._others.pop(name, None)

    def _sort(self, file: File) -> None:
        try:
            kind = kind_of(file)
        except DatasetError as error:
            self.rejected.append(rejected_item(file.name, str(error)))
            return
        except OSError as error:
            self.rejected.append(rejected_item(file.name, f"unreadable ({error.strerror or error})"))
            return
        if kind == "image":
            self.images[file.name] = file
        elif kind == "other":
            self._others[file.name] = None
        else:
            self.rejected.append(rejected_item(file.name, refusal(file, kind)))

    def _leave_out(self, names: Sequence[str], reason: str) -> None:
        """Leave images out, unless there are no others."""
        if len(names) < len(self.images):
            self._used += names
            for name in names:
                self._listing.skipped.add(reason, name)
                del self.images[name]

    def _hint(self) -> str:
        if not self.rejected:
            first_other = next(iter(self._others), None)
            return f"; {len(self._others)} other files, the first is {first_other}" if self._others else ""
        packed = next((item for item in self.rejected if "an archive" in (item.reason or "")), None)
        first: Item = packed or self.rejected[0]
        return f"; unpack {first.name} first" if packed else f"; {first.name}: {first.reason}"


def _listed(path: Path, zip_names: str | None) -> Listing:
    if path.is_dir():
        return folder_files.list_folder(path)
    if not path.exists():
        raise DatasetError(f"{path}: no such folder or zip")
    return zip_members.list_zip(path, zip_names)


def _ending(names: Iterable[str], name: str) -> list[str]:
    """Return the shallowest paths that end in a path."""
    tail = "/" + source_paths.normalise(name).strip("/")
    found = [other for other in names if f"/{other}".endswith(tail)]
    depth = min((other.count("/") for other in found), default=0)
    return sorted(other for other in found if other.count("/") == depth)


def _run_folders(files: Iterable[str], images: Iterable[str]) -> set[str]:
    """Return the folders of training runs. Their pictures are not data."""
    marked = {source_paths.parent(name) for name in files if name.endswith(_RUN_FILES)}
    for place in source_paths.ancestors(images):
        if _RUN.fullmatch(source_paths.name(place)) and source_paths.name(source_paths.parent(place)).lower() == "runs":
            marked.add(place)
    return marked - {"."}


def _in_folders(images: Iterable[str], folders: set[str]) -> list[str]:
    return [name for name in images if folders & source_paths.ancestors([name])] if folders else []


def _masks(images: Iterable[str]) -> list[str]:
    """Return the images in folders like `masks` next to ones like `images`, if most share their names with other
    images.
    """
    around = source_paths.ancestors(images)
    holders = {
        source_paths.parent(p)
        for p in around
        if is_container(source_paths.name(p)) or split_of((source_paths.name(p),))
    }
    places = {
        p for p in around if _MASK_FOLDER.fullmatch(source_paths.name(p).lower()) and source_paths.parent(p) in holders
    }
    inside = _in_folders(images, places)
    others = {source_paths.stem(name) for name in set(images) - set(inside)} if inside else set()
    paired = [name for name in inside if _MASK_END.sub("", source_paths.stem(name)) in others]
    # Most, not all: some masks may have no image.
    return inside if 2 * len(paired) > len(inside) else []


def _report_pictures(images: Iterable[str], downloads: frozenset[str]) -> list[str]:
    """Return the pictures beside the metadata of downloads. Their own images are in the folder `images`."""
    tops = {"" if folder == "." else f"{folder}/": folder for folder in downloads}
    full = {folder for top, folder in tops.items() if any(name.startswith(f"{top}images/") for name in images)}
    return [name for name in images if source_paths.parent(name) in full]


def _is_annotation(file: File) -> bool:
    try:
        return boxes.is_annotation(file.head(_ANNOTATION_BYTES))
    except (DatasetError, OSError):
        return False
