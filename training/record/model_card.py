"""The model card next to a checkpoint."""

import json
from collections.abc import Sequence
from pathlib import Path

from models import atomic_file
from models.checkpoint import Header
from training.metrics.report import Report, interval
from training.record import grid_layout, run_log, sample_grid
from training.record.run_log import LOG, EpochLine

PLOTS = "plots.png"


def write(folder: Path, header: Header, report: Report | None = None) -> None:
    """Write the card next to its checkpoint, with links to the existing files and the measured figures.

    If several models share a folder, the names of plots and logs begin with the model's name.
    """
    name = header.name
    candidates = (f"{name}-strip.png",), (f"{name}-{PLOTS}", PLOTS), (f"{name}.jsonl", LOG)
    # The first existing name of each group, or None.
    files = [next((file for file in choice if (folder / file).exists()), None) for choice in candidates]
    text = render(header, run_log.read(folder), report, *files)
    atomic_file.write(folder / f"{header.name}.md", text.encode())


def render(
    header: Header,
    lines: Sequence[EpochLine],
    report: Report | None = None,
    strip: str | None = None,
    plots: str | None = None,
    figures: str | None = None,
) -> str:
    """Return the card in Markdown: the model, its data, its training and its metrics.

    The grid is `NAME.png`, next to the card. `strip`, `plots` and `figures` are names of further files: interpolations,
    curves, and the figures of every epoch.
    """
    parts = [
        f"# {header.name}",
        f"![Samples of {header.name}, not selected]({header.name}.png)",
        f"The samples are {sample_grid.describe_latents(header.architecture)}, not selected; "
        f"a service makes them again for `POST /generate?model={header.name}"
        f"&n={sample_grid.count_latents(header.architecture)}&seed={grid_layout.SEED}`.",
        _table(("", ""), _facts(header, lines)),
        *_metrics(header, report),
        *([f"## Walks between latents\n\n![Walks of {header.name} between latents]({strip})"] if strip else []),
        *([f"## Curves\n\n![Losses, scores and metrics of {header.name}]({plots})"] if plots else []),
        *_events(header, lines),
        f"## Recipe\n\n```toml\n{_toml(header)}\n```",
        *([f"Every epoch's figures: [{figures}]({figures})."] if figures else []),
    ]
    return "\n\n".join(parts) + "\n"


def _facts(header: Header, lines: Sequence[EpochLine]) -> list[tuple[str, ...]]:
    architecture, data, training = header.architecture, header.data, header.training
    latent = f"latent {architecture.latent_dim}{' on a sphere' if architecture.sphere else ''}"
    return [
        ("images", f"{header.resolution} x {header.resolution} px, RGB"),
        ("classes", ", ".join(header.classes) if header.classes else "none (unconditional)"),
        ("architecture", f"{architecture.name}, {latent}, channels {architecture.channels}"),
        ("data", f"{data.name}, {data.images} images{f', and {data.held_out} held out' if data.held_out else ''}"),
        ("licence of the data", data.licence),
        ("images seen", f"{training.images_seen:,}"),
        ("training time", f"{_training_time(header, lines)} on {training.device}"),
        ("versions", ", ".join(f"{name} {version}" for name, version in header.versions.items())),
    ]


def _training_time(header: Header, lines: Sequence[EpochLine]) -> str:
    """Return the training time from the log, or from the header of an older checkpoint."""
    seen, minutes = header.training.images_seen, header.training.minutes
    logged = [line.seconds for line in lines if line.images_seen >= seen][:1] or [line.seconds for line in lines[-1:]]
    seconds = 60 * minutes if minutes is not None else logged[0] if logged else None
    if seconds is None:
        return "not recorded,"
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"


def _metrics(header: Header, report: Report | None) -> list[str]:
    if report is None:
        rows = [(name, f"{value:.4g}") for name, value in header.metrics.items()]
        note = (
            "Measured while it trained, on the 2,000 samples or fewer of a check: so few enlarge a Frechet distance. "
            "`imagemill evaluate` measures more."
        )
        return [f"## Metrics\n\n{_table(('', header.name), rows)}", note] if rows else []
    made = report.provenance
    held_out = "held-out " if made.training_sha256 else ""
    both = [
        (name, f"{value:.4g}", interval(report, name), f"{report.floor[name]:.4g}")
        for name, value in report.figures.items()
    ]
    return [
        f"## Metrics\n\n{_table(('', header.name, '95%', 'real images'), both)}",
        *(["\n".join(f"- {note}" for note in report.notes)] if report.notes else []),
        f"{made.fakes:,} samples (seed {report.seed}) against the {made.reals:,} {held_out}images of {made.dataset}, "
        f"by features of {made.extractor} (resize: {made.resize}); precision, recall, density, coverage and the kernel "
        f"distance take {made.manifold:,} of each, k = {made.k}. In the column of real images one half of them takes "
        f"the place of the samples, the other that of the data. SHA-256 of the data: `{made.dataset_sha256}`.",
    ]


def _events(header: Header, lines: Sequence[EpochLine]) -> list[str]:
    past = [line for line in lines if line.images_seen <= header.training.images_seen]
    events = [f"- {line.images_seen:,} images: {event}" for line in past for event in line.events]
    return ["## Events\n\n" + "\n".join(events)] if events else []


def _table(heading: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [heading, ("---",) * len(heading), *(tuple(map(_cell, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _toml(header: Header) -> str:
    return "\n".join(f"{key} = {json.dumps(value)}" for key, value in header.recipe.items() if value is not None)
