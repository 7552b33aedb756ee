"""Creates run folders with a number, named after recipe and data."""

import re
from itertools import count
from pathlib import Path

_NUMBERED = re.compile(r"([0-9]+)-")


def create_folder(runs: Path, recipe: str, data: str) -> Path:
    """Create the next numbered run folder. Two processes never get the same number.

    A process claims a number by creating `.NUMBER`, and renames that. After a crash, a claimed number stays unused.
    """
    runs.mkdir(parents=True, exist_ok=True)
    for number in count(_next_number(runs)):
        claim = runs / f".{number:05d}"
        try:
            claim.mkdir()
        except FileExistsError:
            continue
        if number >= _next_number(runs):
            (claim / "samples").mkdir()
            return claim.rename(runs / f"{number:05d}-{recipe}-{data}")
        claim.rmdir()  # its last holder was done before we asked
    raise AssertionError("numbers do not end")


def _next_number(runs: Path) -> int:
    found = (_NUMBERED.match(path.name) for path in runs.iterdir())
    return max((int(match[1]) for match in found if match), default=-1) + 1
