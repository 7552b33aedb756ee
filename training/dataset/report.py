"""What a person should know about a dataset that was just made."""

from training.dataset.store import Dataset

_LISTED = 20
_NAMED = 12


def lines(dataset: Dataset) -> list[str]:
    """Say what was set aside, what is there and what looks odd, a sentence a line, without control characters."""
    return [_printable(line) for line in (*_set_aside(dataset), _summary(dataset), *_oddities(dataset))]


def _set_aside(dataset: Dataset) -> list[str]:
    files = dataset.description.set_aside
    listed = [f"set aside {file.file}: {file.reason}" for file in files[:_LISTED]]
    return listed + [f"set aside {len(files) - _LISTED} more; dataset.json lists them all"] * (len(files) > _LISTED)


def _summary(dataset: Dataset) -> str:
    made, size = dataset.description, dataset.description.resolution
    names = ", ".join((*made.classes[:_NAMED], *["..."] * (len(made.classes) > _NAMED)))
    classes = f", {len(made.classes)} classes ({names})" if made.classes else ""
    return f"{made.count} images of {size} x {size} px{classes}, {len(made.set_aside)} set aside"


def _oddities(dataset: Dataset) -> list[str]:
    made = dataset.description
    found = []
    if made.classes:
        counts = dataset.labels.bincount()
        (fewest, rare), (most, common) = ((int(counts[k]), made.classes[k]) for k in (counts.argmin(), counts.argmax()))
        unequal = f"the classes have {fewest} ({rare}) to {most} ({common}) images"
        found.append(unequal if fewest != most else f"every class has {fewest} image{'s' * (fewest != 1)}")
    if made.enlarged:
        found.append(f"{made.enlarged} were smaller than {made.resolution} px and were enlarged: they look soft")
    if made.duplicates:
        found.append(f"{made.duplicates} show exactly the pixels of another image")
    return found


def _printable(line: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
