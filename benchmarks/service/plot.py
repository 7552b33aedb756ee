"""The engines' curves: images per second and seconds to the first image, against n."""

import io
from typing import TYPE_CHECKING

from benchmarks.service.measurement import Measurement
from benchmarks.service.report import Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {
    "bare": "#6b7280",
    "imagemill": "#2563eb",
    "imagemill-address": "#60a5fa",
    "naive": "#ea580c",
    "litserve": "#0f766e",
    "bentoml": "#b91c1c",
}
_SIZE, _DPI = (11.0, 4.2), 100
"""Size of the picture in inches, and pixels per inch."""


def draw(report: Report) -> bytes:
    """Return the curves as a PNG. Raises ImportError without matplotlib."""
    from matplotlib.figure import Figure

    figure = Figure(_SIZE, _DPI, layout="constrained")
    figure.suptitle(f"{report.model} on {report.device}", fontsize=11, parse_math=False)
    rates, waits = figure.subplots(1, 2)
    for name, colour in _COLOURS.items():
        found = sorted((m for m in report.measurements if m.engine == name), key=lambda m: m.n)
        _draw_curve(rates, found, [m.images_per_s for m in found], name, colour)
        _draw_curve(waits, found, [m.first_s for m in found], name, colour)
    counts = sorted({found.n for found in report.measurements})
    _furnish(rates, "images/s, from request to last byte", counts)
    _furnish(waits, "seconds until the first image", counts)
    rates.legend(frameon=False)
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()


def _draw_curve(axes: "Axes", found: list[Measurement], values: list[float], name: str, colour: str) -> None:
    style = "--" if name == "bare" else "-"
    if found:
        axes.plot([m.n for m in found], values, style, color=colour, marker="o", markersize=4, label=name)


def _furnish(axes: "Axes", title: str, counts: list[int]) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(counts, [f"{n}" for n in counts])
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("n, images in the request")
    axes.grid(which="major", color="#e5e7eb")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
