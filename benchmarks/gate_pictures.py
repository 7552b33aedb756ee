"""`python -m benchmarks.gate_pictures MODEL OUT`: draws the best and the worst images of each class by the gate."""

from pathlib import Path
from typing import Annotated

import torch
import typer
from PIL import Image
from torch import Tensor

from models import registry
from models.quality_gate import QualityGate, gate_path, load_gate, per_mille
from training.console import console, report_errors
from training.gate import calibration
from training.gate.candidates import CandidateSource, Use
from training.record import class_captions, contact_sheet
from training.record.contact_sheet import Block

_CPU = torch.device("cpu")


def main(
    model: Annotated[str, typer.Argument(help="A checkpoint with a gate, or the name of a shipped model.")],
    out: Annotated[Path, typer.Argument(help="The PNG to write.")],
    n: Annotated[int, typer.Option(help="Number of images to choose from.")] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the images.")] = 0,
    count: Annotated[int, typer.Option(help="Number of images on each side, rounded up to full rows.")] = 48,
    columns: Annotated[int, typer.Option(help="Number of images in a row.")] = 6,
) -> None:
    """Draw the best images on the left and the worst ones on the right."""
    with report_errors():
        path = registry.find(model)
        gate, source = load_gate(gate_path(path)), CandidateSource.load(path, seed, _CPU)
        classes = gate.header.classes or ("all",)
        labels = torch.arange(n) % len(classes)
        grids = torch.cat([chunk.grids for chunk in source.grids(Use.JUDGING, labels)])
        scores = _scores(gate, grids, labels)
        each = columns * -(-count // (columns * len(classes)))
        best, worst = [], []
        for label, name in enumerate(classes):
            rows = torch.nonzero(labels == label).flatten()
            order = rows[scores[rows].argsort(descending=True, stable=True)]
            best.append(_block(label, f"{name}, best", source.draw(grids[order[:each]])))
            worst.append(_block(label, f"{name}, worst", source.draw(grids[order[-each:]])))
    _side_by_side(contact_sheet.compose(best, columns), contact_sheet.compose(worst, columns)).save(out)
    console.print(f"{out}: {each} best and {each} worst of {n // len(classes)} images of each class", markup=False)


def _scores(gate: QualityGate, grids: Tensor, labels: Tensor) -> Tensor:
    raw = calibration.raw_scores(calibration.in_worker_precision(gate.network, _CPU), grids)
    return torch.tensor(per_mille(gate.header, raw, labels.tolist()))


def _block(label: int, name: str, images: Tensor) -> Block:
    return Block(class_captions.label(label, name), images)


def _side_by_side(left: Image.Image, right: Image.Image) -> Image.Image:
    page = Image.new("RGB", (left.width + right.width, max(left.height, right.height)), "white")
    page.paste(left, (0, 0))
    page.paste(right, (left.width, 0))
    return page


if __name__ == "__main__":
    typer.run(main)
