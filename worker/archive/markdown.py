"""Tables and shares in Markdown."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table. A vertical bar in a cell is written as an entity."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)


def share_with_interval(share: float, low: float, high: float) -> str:
    """Return a share and its 95 % interval, in per cent."""
    return f"{100 * share:.1f} % (95 % interval {100 * low:.1f} to {100 * high:.1f} %)"
