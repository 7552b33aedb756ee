"""`python -m benchmarks.cold_start`: the time from `imagemill up` to a ready service, and its parts.

The total has three end points: /healthz answers with success, /readyz does, and the line "Ready" is printed. Then each
part is measured alone, with the machine to itself. Parts are comparable, and shorter than when several start at once:

- the interpreter and its imports
- the API's imports, as `python -X importtime` counts them (which makes them slower)
- queue server, API and worker, until they answer
- the steps of a worker's start

Every figure is a median. Files are in the page cache from the second time on.
"""

from collections.abc import Iterable
from statistics import median
from typing import Annotated

import typer

from benchmarks import table
from benchmarks.cold_start import stages, up
from benchmarks.cold_start.stages import Stages
from benchmarks.command import console, run

_MEASURED = (up.measure, stages.interpreter, stages.imports_of_the_api, stages.parts, stages.worker)
_MOST_SECONDS = {"imports of the API": 1.0}
"""Goals, in seconds."""


def main(repeats: Annotated[int, typer.Option(min=1, help="Starts of which the median counts.")] = 5) -> None:
    """Measure all stages, and print a table."""
    rows = [row for measure in _MEASURED for row in _rows([measure() for _ in range(repeats)])]
    console.print(table.markdown(("stage", "median s", "from", "to", "goal"), rows))


def _rows(found: list[Stages]) -> Iterable[tuple[str, ...]]:
    for name in found[0]:
        seconds = [stages[name] for stages in found]
        most = _MOST_SECONDS.get(name)
        goal = "" if most is None else f"< {most:g}: {'yes' if median(seconds) < most else 'no'}"
        yield name, f"{median(seconds):.3f}", f"{min(seconds):.3f}", f"{max(seconds):.3f}", goal


if __name__ == "__main__":
    run(main)
