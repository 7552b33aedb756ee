"""The model card beside a checkpoint: what a person needs to know before using it."""

import json
from pathlib import Path

from models.checkpoint import Header


def write(path: Path, header: Header, grid: str, log: str) -> None:
    """Write a card in Markdown. `grid` and `log` are links, relative to the card."""
    path.write_text(render(header, grid, log), encoding="utf-8")


def render(header: Header, grid: str, log: str) -> str:
    """Say what a checkpoint is, on what it was trained and how, in Markdown."""
    architecture = header.architecture
    classes = ", ".join(header.classes) if header.classes else "none (unconditional)"
    rows = {
        "images": f"{header.resolution} x {header.resolution} px, RGB",
        "classes": classes,
        "architecture": f"{architecture.name}, latent {architecture.latent_dim}, channels {architecture.channels}",
        "data": f"{header.data.name}, {header.data.images} images",
        "licence of the data": header.data.licence,
        "images seen": f"{header.training.images_seen:,}",
        "training time": f"{header.training.minutes:.0f} minutes on {header.training.device}",
        "versions": ", ".join(f"{name} {version}" for name, version in header.versions.items()),
    } | {name: f"{value:g}" for name, value in header.metrics.items()}
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    recipe = "\n".join(f"{key} = {json.dumps(value)}" for key, value in header.recipe.items())
    return (
        f"# {header.name}\n\n![Samples of {header.name}, not selected]({grid})\n\n"
        f"The samples are latents 0 to 71 of seed 0, not selected.\n\n"
        f"| | |\n|---|---|\n{table}\n\n## Recipe\n\n```toml\n{recipe}\n```\n\nEvery epoch's losses: [{log}]({log}).\n"
    )
