"""The verdict: where synthetic images help, make no difference, or harm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training.prove.statistics import Difference

_PLACEBO_MARGIN = 0.01
"""Gain of the placebo that is tolerated, because one of many intervals can lie above 0 by chance."""


_MOST_UNCERTAIN = 0.05
"""Half of the widest interval that shows no difference. A wider one shows nothing."""


@dataclass(frozen=True)
class Verdict:
    """The conclusion from one judge's figures."""

    helps_at: tuple[int, ...]
    harms_at: tuple[int, ...]
    """Numbers of real images per class at which the interval of the gain lies above 0, or below 0."""
    is_doubtful: bool
    """True if the placebo gains, too."""
    sentence: str


def decide(gains: Mapping[int, Difference], placebo: Mapping[int, Difference]) -> Verdict:
    """Compare real and synthetic images with real images alone, for each number of real images per class.

    `placebo` has the same differences for synthetic images with shuffled labels, which must not help.
    """
    sizes = sorted(gains)
    helps = tuple(k for k in sizes if gains[k].is_gain)
    harms = tuple(k for k in sizes if gains[k].is_loss)
    same = [k for k in sizes if k not in helps + harms]
    unknown = [k for k in same if gains[k].high - gains[k].low > 2 * _MOST_UNCERTAIN]
    parts = [
        _harm(harms, gains, is_partial=bool(helps)),
        _help(helps, sizes, gains),
        _list("makes no difference at", [k for k in same if k not in unknown], sizes),
        _list("is uncertain (more --repeats narrow the interval) at", unknown, sizes),
    ]
    suspects = [k for k in sizes if placebo[k].is_gain and placebo[k].mean > _PLACEBO_MARGIN]
    doubt = ""
    if suspects:
        worst = max(suspects, key=lambda k: placebo[k].mean)
        doubt = (
            f"DOUBTFUL: synthetic images with shuffled labels gain, too ({_points(placebo[worst])} at {worst}), "
            "so a gain need not come from what they show; "
        )
    return Verdict(helps, harms, bool(suspects), doubt + "; ".join(filter(None, parts)))


def _harm(harms: Sequence[int], gains: Mapping[int, Difference], is_partial: bool) -> str:
    if not harms:
        return ""
    worst = min(harms, key=lambda k: gains[k].mean)
    where = " there" if is_partial else ""
    return (
        f"HARMS at {listed(harms)} real images per class ({_points(gains[worst])} at {worst}): "
        f"do not train on it{where}"
    )


def _help(helps: Sequence[int], sizes: Sequence[int], gains: Mapping[int, Difference]) -> str:
    if not helps:
        return ""
    first, last = helps[0], helps[-1]
    shown = ", ".join(f"{_points(gains[k])} at {k}" for k in dict.fromkeys((first, last)))
    if list(helps) != list(sizes[: len(helps)]):
        return f"helps only at {listed(helps)} real images per class ({shown})"
    if len(helps) == len(sizes):
        return f"helps at every number that was tried, up to {last} real images per class ({shown})"
    return f"helps up to about {last} real images per class ({shown})"


def _list(outcome: str, numbers: Sequence[int], sizes: Sequence[int]) -> str:
    if not numbers:
        return ""
    unit = " real images per class" if len(numbers) == len(sizes) else ""
    return f"{outcome} {listed(numbers)}{unit}"


def _points(gain: Difference) -> str:
    return f"{100 * gain.mean:+.1f} points"


def listed(numbers: Sequence[int]) -> str:
    """Return numbers as words list them: 5, 10 and 25."""
    *most, last = map(str, numbers)
    return f"{', '.join(most)} and {last}" if most else last
