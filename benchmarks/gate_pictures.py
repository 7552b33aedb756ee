"""`python -m benchmarks.gate_pictures MODEL OUT`: draws the best and the worst images of each class by the gate."""

from pathlib import Path
from typing import Annotated

import torch
import typer
from PIL import Image
from torch import Tensor

from models import checkpoint, registry
from models.quality_gate import QualityGate, gate_path, load_gate, per_mille
from training import samples
from training.console import console, report_errors
from training.gate import calibration
from training.record import class_captions, contact_sheet
from training.record.contact_sheet import Block

_CPU = torch.device("cpu")


def main(
    model: Annotated[str, typer.Argument(help="A checkpoint with a gate, or the name of a shipped model.")],
    out: Annotated[Path, typer.Argument(help="The PNG to write.")],
    n: Annotated[int, typer.Option(help="Number of images to choose from.")] = 2000,
    seed: Annotated[int, typer.Option(help="Images 0 to n - 1 of this seed.")] = 0,
    count: Annotated[int, typer.Option(help="Number of images on each side, rounded up to full rows.")] = 48,
    columns: Annotated[int, typer.Option(help="Number of images in a row.")] = 6,
) -> None:
    """Draw the best images on the left and the worst ones on the right."""
    with report_errors():
        path = registry.find(model)
        header, generator = checkpoint.load_generator(path)
        gate = load_gate(gate_path(path))
        classes = header.classes or ("all",)
        labels = torch.arange(n) % len(classes)
        asked = labels if header.classes else None
        images = samples.render(generator, header.latent_dim, seed, range(n), asked)
        scores = _scores(gate, images, labels)
        each = columns * -(-count // (columns * len(classes)))
        best, worst = [], []
        for label, name in enumerate(classes):
            rows = torch.nonzero(labels == label).flatten()
            order = rows[scores[rows].argsort(descending=True, stable=True)]
            best.append(_block(label, f"{name}, best", images[order[:each]]))
            worst.append(_block(label, f"{name}, worst", images[order[-each:]]))
    _side_by_side(contact_sheet.compose(best, columns), contact_sheet.compose(worst, columns)).save(out)
    console.print(f"{out}: {each} best and {each} worst of {n // len(classes)} images of each class", markup=False)


def _scores(gate: QualityGate, images: Tensor, labels: Tensor) -> Tensor:
    network = calibration.in_worker_precision(gate.network, _CPU)
    raw = torch.cat([calibration.raw_scores(network, chunk, _CPU) for chunk in torch.split(images, 256)])
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
