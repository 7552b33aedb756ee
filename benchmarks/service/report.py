"""The results as a table for the terminal, as Markdown and as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from rich.table import Table

from benchmarks.service.measurement import Measurement

_HEAD = ("n", "engine", "first s", "last s", "images/s", "of bare", "CPU s", "peak MB", "how")
"""Columns: seconds until the first image and until the last byte, images/s, and the share of those of `bare`."""


@dataclass(frozen=True)
class Report:
    """All measurements of one run, and its machine."""

    model: str
    device: str
    versions: Mapping[str, str]
    repeats: int
    measurements: Sequence[Measurement]

    def table(self) -> Table:
        """Return a table for the terminal, without the settings of the engines."""
        table = Table(title=f"{self.model} on {self.device}")
        for name in _HEAD[:-1]:
            table.add_column(name, justify="left" if name == "engine" else "right", no_wrap=True)
        for n in self._counts():
            for row in self._rows(n):
                table.add_row(*row[:-1])
            table.add_section()
        return table

    def markdown(self) -> str:
        """Return a Markdown table, with a line about the machine."""
        rows = [_HEAD, tuple("---" for _ in _HEAD), *(row for n in self._counts() for row in self._rows(n))]
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        lines = [f"`{self.model}` on {self.device}; medians of {self.repeats}; {versions}.", ""]
        return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows), ""])

    def json(self) -> str:
        """Return JSON: results[engine][n], and the machine."""
        results: dict[str, dict[str, dict[str, float | str]]] = {}
        for found in self.measurements:
            figures = {key: value for key, value in asdict(found).items() if key not in ("engine", "n")}
            results.setdefault(found.engine, {})[str(found.n)] = figures
        about = {"model": self.model, "device": self.device, "versions": self.versions, "repeats": self.repeats}
        return json.dumps({**about, "results": results}, indent=2) + "\n"

    def _counts(self) -> list[int]:
        return sorted({found.n for found in self.measurements})

    def _rows(self, n: int) -> list[tuple[str, ...]]:
        rows = [found for found in self.measurements if found.n == n]
        bare = next((found.images_per_s for found in rows if found.engine == "bare"), None)
        return [_row(found, bare) for found in rows]


def _row(found: Measurement, bare: float | None) -> tuple[str, ...]:
    share = f"{found.images_per_s / bare:.0%}" if bare else "-"
    times = (f"{found.first_s:.3f}", f"{found.last_s:.3f}", f"{found.images_per_s:.1f}")
    return (f"{found.n}", found.engine, *times, share, f"{found.cpu_s:.2f}", f"{found.peak_mb:.0f}", found.note)
