"""The figures of a report in words: a name, one sentence, and how to print the value."""

from typing import Literal, NamedTuple

Kind = Literal["share", "number"]


class Explanation(NamedTuple):
    """How to show a figure to people."""

    name: str
    sentence: str
    kind: Kind = "share"


FIGURES = {
    "yield": Explanation(
        "Yield", "Share of images that pass for real one by one; 95 % of the real images that set the limit pass."
    ),
    "fd": Explanation(
        "Frechet distance", "How far all images together are from the real ones; lower is better.", "number"
    ),
    "kd": Explanation(
        "Kernel distance", "As the Frechet distance, but the number of images does not shift it.", "number"
    ),
    "precision": Explanation("Precision", "Share of images that lie among the real images: quality."),
    "density": Explanation(
        "Density", "How many real images' neighbourhoods an image lies in: quality, robust to odd reals.", "number"
    ),
    "recall": Explanation("Recall", "Share of real images that lie among these images: variety."),
    "coverage": Explanation(
        "Coverage", "Share of real images that have one of these images nearby: variety, robust to odd images."
    ),
    "label_agreement": Explanation(
        "Label agreement", "Share of images that look like the class they are labelled with, by their nearest reals."
    ),
    "copies": Explanation(
        "Copies", "Share of images nearer to a training image than all but 1 % of real images are: memorisation."
    ),
    "nearest_ratio": Explanation(
        "Nearest ratio",
        "Distance to the nearest training image over that of real images; copies bring it to 0.",
        "number",
    ),
}
"""The figures in the order of the page, by their names without a feature network."""
NONE = "-"
"""Stands for a value that is unknown."""
_PER_CENT = "\N{NO-BREAK SPACE}%"
_ALIASES = {"fid": "fd", "kid": "kd"}


def name_of(figure: str, extractor: str) -> str:
    """Return the name of a figure without its feature network, such as fd for fd_efflite0 and for fid."""
    plain = figure.removesuffix(f"_{extractor}")
    return _ALIASES.get(plain, plain)


def show(value: float | None, kind: Kind) -> str:
    """Format a share in per cent, and a number with three digits."""
    if value is None:
        return NONE
    return f"{_per_cent(value)}{_PER_CENT}" if kind == "share" else _number(value)


def show_interval(interval: tuple[float, float] | None, kind: Kind) -> str:
    """Format an interval; empty if there is none."""
    if interval is None:
        return ""
    low, high = interval
    return f"{_per_cent(low) if kind == 'share' else _number(low)} to {show(high, kind)}"


def _per_cent(share: float) -> str:
    """Format with one digit after the point, and with two below 1 %."""
    value = 100 * share
    if value == 0:
        return "0"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def _number(value: float) -> str:
    """Format with three significant digits, but never with an exponent."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    # Adding 0 turns a rounded -0.0 into 0.0.
    return f"{value:.2f}" if abs(value) >= 1 else f"{round(value, 3) + 0.0:.3f}"
