"""Tiny models with random weights, pictures of nothing in particular, and other small needs of tests."""

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from models import checkpoint
from models.registry import Architecture, build_generator

PLAIN, LABELLED = "plain", "labelled"
CLASSES = ("circle", "cross", "zig/zag")


def save_checkpoint(
    folder: Path, name: str, classes: tuple[str, ...] = (), architecture: Literal["dcgan", "residual"] = "dcgan"
) -> None:
    """Save a tiny generator with random weights."""
    torch.manual_seed(1)
    built = Architecture(name=architecture, resolution=32, latent_dim=16, channels=8, classes=len(classes))
    header = checkpoint.Header(
        name=name,
        architecture=built,
        classes=classes,
        data=checkpoint.DataCredit(name="noise", licence="CC0-1.0", images=1),
        training=checkpoint.Training(images_seen=0, minutes=0, device="cpu"),
        metrics={"fid": 300.0},
        recipe={},
        versions=checkpoint.installed_versions(),
    )
    generator = build_generator(built)
    for weights in generator.parameters():
        if weights.dim() > 1:  # large enough for images that differ
            torch.nn.init.normal_(weights, 0, 0.25)
    checkpoint.save(folder / f"{name}.safetensors", header, generator)


def picture(seed: int, size: tuple[int, int] = (40, 40)) -> Image.Image:
    """A smooth picture of its own for every seed."""
    corners = np.random.default_rng(seed).integers(0, 256, (2, 2, 3), dtype=np.uint8)
    return Image.fromarray(corners).resize(size, Image.Resampling.BILINEAR)


def vgg19_tensors() -> dict[str, Tensor]:
    """VGG19's first layers with random weights, always the same, by torchvision's names."""
    from torchvision.models import vgg19  # slow, and few need it

    torch.manual_seed(0)
    found = vgg19(weights=None).features[:29].state_dict()
    return {f"features.{key}": value for key, value in found.items()}
