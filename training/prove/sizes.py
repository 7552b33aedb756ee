"""The numbers of real images per class that a proof tries."""

from collections.abc import Sequence
from dataclasses import dataclass

from training.errors import MetricsError, UsageError


@dataclass(frozen=True)
class Sizes:
    """The numbers that can be tried, and notes about the others."""

    used: tuple[int, ...]
    notes: tuple[str, ...]


def parse(text: str) -> tuple[int, ...]:
    """Parse numbers such as 5,10,25, and sort them. Raises UsageError."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise UsageError(f"--per-class takes numbers above 0 with commas between them, e.g. 5,10,25; got {text!r}")
    return tuple(sorted({int(part) for part in parts}))


def choose(asked: Sequence[int], names: Sequence[str], counts: Sequence[int]) -> Sizes:
    """Keep the numbers that at least half of the classes have. A smaller class gives all of its images.

    `counts` has the number of real images of each class. Raises MetricsError when no number is left.
    """
    ordered = sorted(counts)
    # At least half of the classes have as many as the upper median.
    limit = ordered[len(ordered) // 2]
    used = tuple(k for k in asked if k <= limit)
    if not used:
        raise MetricsError(
            f"--per-class {','.join(map(str, asked))}: more real images than most classes have to train on, which is "
            f"{limit}; ask for fewer, or hold out a larger share"
        )
    notes = []
    if left_out := [k for k in asked if k > limit]:
        notes.append(
            f"left out: {', '.join(map(str, left_out))} per class; most classes have at most {limit} real images"
        )
    short = {name: count for name, count in zip(names, counts, strict=True) if count < used[-1]}
    if short:
        listed = ", ".join(f"{name} {count}" for name, count in short.items())
        notes.append(f"classes with fewer real images than {used[-1]} give all that they have: {listed}")
    return Sizes(used, tuple(notes))
