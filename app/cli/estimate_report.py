"""Prints estimates, for `imagemill generate`."""

from app.cli.terminal import Terminal
from app.client import Estimate, byte_sizes

_LARGE_IMAGES, _LARGE_SECONDS, _LARGE_BYTES = 10_000, 20, 1_000_000_000
"""A job of so many images, or with larger figures, is large: its estimate is printed before it starts."""


def is_large(estimate: Estimate) -> bool:
    """Return whether the user should see the estimate before the job. One without figures is never shown."""
    if estimate.seconds is None and estimate.bytes_ is None:
        return False
    seconds = estimate.seconds.total if estimate.seconds is not None else 0.0
    size = estimate.bytes_.expected if estimate.bytes_ is not None else 0
    return estimate.n >= _LARGE_IMAGES or seconds > _LARGE_SECONDS or size > _LARGE_BYTES


def print_note(estimate: Estimate, terminal: Terminal) -> None:
    """Print the estimate in one line, as a note."""
    terminal.note(f"estimate: {_duration(estimate)}, {_size(estimate)}, kept for {estimate.hours_kept} hours")


def print_estimate(estimate: Estimate, terminal: Terminal) -> None:
    """Print all figures of an estimate, as a result."""
    rows = [("time", _duration(estimate)), ("archive", _size(estimate))]
    if estimate.tries is not None:
        tries = estimate.tries
        rows.append(
            ("tries", f"{tries.expected} images ({tries.low} to {tries.high}) are rendered to find {estimate.n}")
        )
    free = "" if estimate.disk.free is None else f"; {byte_sizes.readable(estimate.disk.free)} are free"
    rows.append(("disk", f"{byte_sizes.readable(estimate.disk.reserved)} are reserved until the job ends{free}"))
    if estimate.quota.images_left is not None:
        rows.append(
            ("quota", f"{estimate.quota.images} of the {estimate.quota.images_left} images that the key has left")
        )
    rows.append(("kept", f"{estimate.hours_kept} hours"))
    rows += [("refused", refusal.detail) for refusal in estimate.fits.refusals]
    rows += [("note", note) for note in estimate.notes]
    terminal.result.print(f"[bold]{estimate.n} images[/] from {estimate.model}; nothing was created")
    for name, text in rows:
        terminal.result.print(f"{name:8}{text}", markup=False, highlight=False)


def _duration(estimate: Estimate) -> str:
    seconds = estimate.seconds
    if seconds is None:
        return "an unknown time"
    parts = {"waiting": seconds.waiting, "learning the style": seconds.learning, "closing": seconds.closing}
    longest = [f"{_readable(value)} {name}" for name, value in parts.items() if value > seconds.total / 10]
    return f"about {_readable(seconds.total)}" + (f" ({', '.join(longest)})" if longest else "")


def _readable(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _size(estimate: Estimate) -> str:
    size = estimate.bytes_
    if size is None:
        return "an unknown size"
    low, high = byte_sizes.readable(size.low), byte_sizes.readable(size.high)
    return f"{byte_sizes.readable(size.expected)} ({low} to {high})"
