"""What a run leaves behind to be looked at: a numbered folder, a line per epoch, a grid of samples."""

import json
from pathlib import Path

import torch
from PIL import Image
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torchvision.utils import make_grid

from models import latents, pixels

GRID_SEED = 0
_COLUMNS, _ROWS = 12, 6
"""Twelve columns keep 2, 3, 4, 6 or 12 classes in columns of their own."""


class EpochLine(BaseModel):
    """Means over one epoch. A score is a mean sigmoid of logits; 0.5 is a discriminator that guesses."""

    model_config = ConfigDict(frozen=True)

    epoch: int
    loss_g: float
    loss_d: float
    real_score: float
    fake_score: float
    images_seen: int
    images_per_s: float
    seconds: float

    def __str__(self) -> str:
        """Render the line that a person reads."""
        losses = f"loss_g {self.loss_g:.4f}  loss_d {self.loss_d:.4f}"
        scores = f"real_score {self.real_score:.4f}  fake_score {self.fake_score:.4f}"
        return f"epoch {self.epoch:4d}  {losses}  {scores}  {self.images_per_s:.0f} images/s"


def new_folder(runs: Path, recipe: str, data: str) -> Path:
    """Make the next numbered run folder, named after its recipe and data."""
    runs.mkdir(parents=True, exist_ok=True)
    taken = [int(p.name[:5]) for p in runs.iterdir() if p.name[:5].isdigit()]
    folder = runs / f"{max(taken, default=-1) + 1:05d}-{recipe}-{data}"
    (folder / "samples").mkdir(parents=True)
    return folder


def append(folder: Path, line: EpochLine) -> None:
    """Add a line to the run's log."""
    with (folder / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line.model_dump()) + "\n")


@torch.inference_mode()
def sample_grid(generator: nn.Module, latent_dim: int, classes: int) -> Tensor:
    """Render latents 0 to 71 of seed 0, with the classes that a service would give them.

    Shapes: returns (3, h, w) uint8 on the CPU.
    """
    device = next(generator.parameters()).device
    count = _COLUMNS * _ROWS
    z = latents.sample(latent_dim, GRID_SEED, range(count)).to(device)
    labels = torch.arange(count, device=device) % classes if classes else None
    grid: Tensor = make_grid(pixels.to_uint8(generator(z, labels)).cpu(), nrow=_COLUMNS, padding=2, pad_value=255)
    return grid


def write_png(path: Path, image: Tensor) -> None:
    """Write a picture. Shapes: image (3, h, w) uint8."""
    Image.fromarray(image.permute(1, 2, 0).numpy()).save(path, "PNG", optimize=True)
