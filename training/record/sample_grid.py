"""The grid: images of the same latents after every epoch, sorted by class."""

import torch
from PIL import Image
from torch import nn

from models.registry import Architecture
from training import samples
from training.record import class_captions, contact_sheet, grid_layout


def draw(generator: nn.Module, architecture: Architecture, classes: tuple[str, ...]) -> Image.Image:
    """Draw the grid of a generator in eval mode.

    Index i of the seed has class i modulo the number of classes, as in a request for all classes. So a grid shows the
    first images that the service renders for that seed, sorted by class.
    """
    shown = classes[: grid_layout.MOST_CLASSES] or ("",)
    # Indices of shown classes only: those of others would be rendered for nothing.
    step = max(1, len(classes))
    indices = [index for index in range(count_latents(architecture)) if index % step < len(shown)]
    labels = torch.tensor(indices) % step if classes else None
    images = samples.render(generator, architecture.latent_dim, grid_layout.SEED, indices, labels)
    blocks = [
        contact_sheet.Block(
            class_captions.label(number, name),
            images[number :: len(shown)],
            grid_layout.rows_per_class(architecture) > 1,
        )
        for number, name in enumerate(shown)
    ]
    return contact_sheet.compose(blocks, grid_layout.columns(architecture))


def describe_latents(architecture: Architecture) -> str:
    """Describe the latents on the grid."""
    classes = architecture.classes
    first = (
        f"the first {grid_layout.MOST_CLASSES} of {classes} classes of " if classes > grid_layout.MOST_CLASSES else ""
    )
    return (
        f"{first}latents 0 to {count_latents(architecture) - 1} of seed {grid_layout.SEED}"
        f"{', class by class' if classes else ''}"
    )


def count_latents(architecture: Architecture) -> int:
    """Count the latents, including those of classes that are not shown."""
    return grid_layout.columns(architecture) * grid_layout.rows_per_class(architecture) * max(1, architecture.classes)
