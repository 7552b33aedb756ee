"""Draws the accuracies over the number of real images per class."""

import io
from typing import TYPE_CHECKING

from training.prove import report as reports
from training.prove.measurement import Arm
from training.prove.report import Finding, Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STYLES: dict[Arm, tuple[str, str]] = {
    "real": ("#111827", "real images alone"),
    "both": ("#2563eb", "real and synthetic images"),
    "placebo": ("#ea580c", "placebo: synthetic images with shuffled labels"),
}
"""Colour and name of each curve."""
_SYNTHETIC, _GREY, _PALE = "#0f766e", "#6b7280", "#e5e7eb"
_WIDTH, _HEIGHT, _DPI = 5.5, 4.6, 100
"""Size of a panel in inches, and pixels per inch."""
_SHIFT = 1.03
"""Factor between the positions of two curves, so that their intervals do not hide each other."""


def draw(report: Report) -> bytes:
    """Draw a panel for each judge, as a PNG. Raises ImportError without matplotlib."""
    from matplotlib.figure import Figure

    figure = Figure((_WIDTH * max(2, len(report.findings)), _HEIGHT), _DPI, layout="constrained")
    figure.suptitle(reports.title(report), fontsize=12, fontweight="bold", parse_math=False)
    panels = figure.subplots(1, len(report.findings), squeeze=False)[0]
    for axes, finding in zip(panels, report.findings, strict=True):
        _draw_curves(axes, finding)
        _style(axes, finding, 1 / len(report.classes))
    panels[0].legend(loc="lower right", frameon=False, fontsize=8.5)
    png = io.BytesIO()
    figure.savefig(png, format="png", metadata={"Software": None})
    return png.getvalue()


def _draw_curves(axes: "Axes", finding: Finding) -> None:
    result = finding.result
    sizes = list(result.accuracies)
    for place, (arm, (colour, name)) in enumerate(_STYLES.items()):
        values = [result.accuracies[k][arm] for k in sizes]
        axes.errorbar(
            [k * _SHIFT ** (place - 1) for k in sizes],
            [value.mean for value in values],
            [[value.mean - value.draws[0] for value in values], [value.draws[1] - value.mean for value in values]],
            color=colour,
            label=name,
            marker="o",
            markersize=4,
            linewidth=1.5,
            capsize=2,
            linestyle="dotted" if arm == "placebo" else "solid",
        )
    axes.axhline(result.synthetic.mean, color=_SYNTHETIC, linewidth=1, linestyle="dashed", label="synthetic alone")
    axes.axhspan(*result.synthetic.draws, color=_SYNTHETIC, alpha=0.12, linewidth=0)


def _style(axes: "Axes", finding: Finding, chance: float) -> None:
    from matplotlib.ticker import NullLocator

    sizes = list(finding.result.accuracies)
    axes.set_title(reports.subtitle(finding), loc="left", fontsize=10)
    axes.set_xscale("log")
    axes.set_xticks(sizes, map(str, sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("real images per class", fontsize=9, color=_GREY)
    axes.set_ylabel("accuracy on held-out real images", fontsize=9, color=_GREY)
    if axes.get_ylim()[0] < chance:
        axes.axhline(chance, color=_GREY, linewidth=1, linestyle=(0, (1, 3)))
        axes.annotate("chance", (sizes[0], chance), va="bottom", fontsize=8, color=_GREY)
    axes.tick_params(which="both", colors=_GREY, labelsize=9, length=0)
    axes.grid(color=_PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_GREY)
