"""Describes a new dataset for the user."""

from collections.abc import Iterable

from training.dataset.dataset_files import Dataset

_LISTED = 20
_NAMED = 12
_NOTABLE_CUT = 0.005


def lines(dataset: Dataset, planned: Iterable[str | None] = ()) -> list[str]:
    """Return sentences about rejected files, content and oddities, without control characters.

    `planned` are the labels that were found before the images were read.
    """
    sentences = (
        *_set_aside(dataset),
        _summary(dataset),
        *_held_out(dataset),
        *_missing(dataset, planned),
        *_oddities(dataset),
    )
    return [printable(line) for line in sentences]


def _set_aside(dataset: Dataset) -> list[str]:
    files = dataset.description.set_aside
    listed = [f"set aside {file.file}: {file.reason}" for file in files[:_LISTED]]
    return listed + [f"set aside {len(files) - _LISTED} more; dataset.json lists them all"] * (len(files) > _LISTED)


def _missing(dataset: Dataset, planned: Iterable[str | None]) -> list[str]:
    lost = sorted({label for label in planned if label} - set(dataset.description.classes))
    names = ", ".join((*lost[:_NAMED], *["..."] * (len(lost) > _NAMED)))
    return [f"no usable image of {len(lost)} classes: {names}"] if lost else []


def _summary(dataset: Dataset) -> str:
    made, size = dataset.description, dataset.description.resolution
    names = ", ".join((*made.classes[:_NAMED], *["..."] * (len(made.classes) > _NAMED)))
    classes = f", {len(made.classes)} classes ({names})" if made.classes else ""
    return f"{made.count} images of {size} x {size} px{classes}, {len(made.set_aside)} set aside"


def _held_out(dataset: Dataset) -> list[str]:
    if dataset.held_out is None:
        return []
    made, held_out = dataset.description, dataset.held_out
    counts = held_out.labels.bincount(minlength=len(made.classes)).tolist() if made.classes else []
    listed = [f"{count} {name}" for count, name in zip(counts, made.classes, strict=True)]
    of_classes = ", ".join((*listed[:_NAMED], *["..."] * (len(listed) > _NAMED)))
    lines = [f"{made.held_out} more images are held out{': ' * bool(listed)}{of_classes}; no training sees them"]
    if made.near_duplicates:
        lines.append(f"{made.near_duplicates} groups of images show nearly the same; each is on one side")
    if lost := [name for name, count in zip(made.classes, counts, strict=True) if not count]:
        names = ", ".join((*lost[:_NAMED], *["..."] * (len(lost) > _NAMED)))
        lines.append(f"no image is held out of {len(lost)} classes with too few different images: {names}")
    return lines


def _oddities(dataset: Dataset) -> list[str]:
    made = dataset.description
    found = []
    if made.classes:
        counts = dataset.labels.bincount()
        (fewest, rare), (most, common) = ((int(counts[k]), made.classes[k]) for k in (counts.argmin(), counts.argmax()))
        spread = f"{fewest} ({rare}) to {most} ({common}) images" if fewest < most else f"{most} images each"
        found.append(f"the classes have {spread}")
    if made.enlarged:
        found.append(f"{made.enlarged} were smaller than {made.resolution} px and were enlarged: they look soft")
    if made.duplicates:
        found.append(f"{made.duplicates} show exactly the pixels of another image")
    if made.dim:
        found.append(
            f"{made.dim} use less than 1/8 of their range (nearly black or of one grey): "
            "their files may hold fewer bits than they declare"
        )
    found += [f"in {count} of the files, {remark}" for remark, count in made.remarks.items()]
    if made.cut >= _NOTABLE_CUT:
        found.append(f"{made.cut:.0%} of an image lies outside of the square on average ({made.crop})")
    return found


def printable(line: str) -> str:
    """Escape non-printable characters, because a file name must not control the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
