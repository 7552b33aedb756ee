"""The curves of a run, drawn from its log: losses, scores and metrics against the images seen."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isfinite, nan
from textwrap import shorten
from typing import TYPE_CHECKING

from training.record.run_log import EpochLine

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BLUE, _ORANGE, _GREEN, _RED = "#2563eb", "#ea580c", "#0f766e", "#b91c1c"
_INK, _GREY, _PALE = "#111827", "#6b7280", "#e5e7eb"
_WIDTH, _PANEL_HEIGHT, _HEADING, _EVENT_HEIGHT, _EDGE, _DPI = 11.0, 2.5, 0.5, 0.22, 0.15, 100
"""Sizes in inches, and pixels per inch."""
_MOST_EVENTS = 10
"""Number of latest events that are written out. All events are marked."""
_EVENT_LETTERS = 150
_FEW_POINTS = 40
"""Up to this many points are marked individually."""
_WIDE_SPREAD = 20
"""Positive values get a logarithmic axis if the largest is this many times the smallest."""


@dataclass(frozen=True)
class _Curve:
    name: str
    colour: str
    points: list[tuple[int, float]]
    """Images seen and a finite value. NaN separates a rolled-back part from its repetition."""


def draw(lines: Sequence[EpochLine], title: str, floor: Mapping[str, float]) -> bytes:
    """Draw a run's curves as a PNG. `floor` has the metrics between real images, by name.

    Raises ImportError without matplotlib.
    """
    from matplotlib.figure import Figure

    panels = _panels(lines)
    events = [(line.images_seen, event) for line in lines for event in line.events]
    rows, foot = ceil(len(panels) / 2), _EVENT_HEIGHT * min(len(events), _MOST_EVENTS) + _EDGE
    height = _HEADING + _PANEL_HEIGHT * rows + foot
    figure = Figure((_WIDTH, height), _DPI)
    # Leaves room for the heading and for the list of events.
    figure.set_layout_engine("constrained", rect=(0, foot / height, 1, 1 - (_HEADING + foot) / height))
    figure.text(_EDGE / _WIDTH, 1 - _EDGE / height, title, va="top", fontsize=13, fontweight="bold", parse_math=False)
    for number, (name, curves) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(rows, 2, number)
        _draw_curves(axes, curves)
        _draw_marks(axes, name, floor, [seen for seen, _ in events])
        _style_axes(axes, name, max((line.images_seen for line in lines), default=1))
    _write_events(figure, events, height)
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()


def _panels(lines: Sequence[EpochLine]) -> dict[str, list[_Curve]]:
    def curve(name: str, colour: str, values: Sequence[float]) -> _Curve:
        points: list[tuple[int, float]] = []
        for line, value in zip(lines, values, strict=True):
            if points and line.images_seen < points[-1][0]:
                # Matplotlib breaks a line at NaN.
                points.append((line.images_seen, nan))
            if isfinite(value):
                points.append((line.images_seen, value))
        return _Curve(name, colour, points)

    panels = {
        "loss": [
            curve("generator", _BLUE, [line.loss_g for line in lines]),
            curve("discriminator", _ORANGE, [line.loss_d for line in lines]),
        ],
        "score": [
            curve("real", _GREEN, [line.real_score for line in lines]),
            curve("fake", _ORANGE, [line.fake_score for line in lines]),
        ],
    }
    for metric in dict.fromkeys(metric for line in lines for metric in line.metrics):
        panels[metric] = [curve("last", _BLUE, [line.metrics.get(metric, nan) for line in lines])]
    return panels


def _draw_curves(axes: "Axes", curves: Sequence[_Curve]) -> None:
    from matplotlib.ticker import LogLocator

    for curve in curves:
        seen, values = [x for x, _ in curve.points], [y for _, y in curve.points]
        label = f"{curve.name} {values[-1]:.4g}" if values and isfinite(values[-1]) else curve.name
        marker = "o" if len(seen) <= _FEW_POINTS else ""
        axes.plot(seen, values, color=curve.colour, linewidth=1.4, marker=marker, markersize=3.5, label=label)
    every = [y for curve in curves for _, y in curve.points if isfinite(y)]
    if every and min(every) > 0 and max(every) > _WIDE_SPREAD * min(every):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))


def _draw_marks(axes: "Axes", name: str, floor: Mapping[str, float], events: Sequence[int]) -> None:
    level = 0.5 if name == "score" else floor.get(name)
    if level is not None:
        label = f"real against real {level:.4g}" if name in floor else None
        axes.axhline(level, color=_GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=1.5, label=label)
    for number, seen in enumerate(events, start=1):
        axes.axvline(seen, color=_RED, linewidth=1, linestyle=(0, (2, 2)), zorder=1.5)
        top = axes.get_xaxis_transform()
        axes.text(seen, 0.98, f" {number}", transform=top, va="top", fontsize=8, color=_RED)


def _style_axes(axes: "Axes", name: str, images_seen: int) -> None:
    from matplotlib.ticker import EngFormatter, NullFormatter

    axes.set_title(name, loc="left", fontsize=11, color=_INK)
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1.01, 0.98),
        borderaxespad=0.2,
        ncols=2,
        frameon=False,
        fontsize=9,
        labelcolor="linecolor",
        handlelength=0,
        markerscale=0,
    )
    axes.set_xlim(0, 1.01 * images_seen)
    axes.set_xlabel("images seen", fontsize=9, color=_GREY)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(which="both", colors=_GREY, labelsize=9, length=0)
    axes.grid(color=_PALE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_GREY)


def _write_events(figure: "Figure", events: Sequence[tuple[int, str]], height: float) -> None:
    shown = list(enumerate(events, start=1))[-_MOST_EVENTS:]
    for place, (number, (seen, event)) in enumerate(reversed(shown)):
        text = shorten(f"{number} at {seen:,} images: {event}", _EVENT_LETTERS, placeholder="...")
        bottom = (_EDGE + place * _EVENT_HEIGHT) / height
        figure.text(_EDGE / _WIDTH, bottom, text, fontsize=9, color=_RED, parse_math=False)
