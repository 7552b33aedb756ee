"""The strip: walks between fixed latents. A generator that learnt more than samples changes smoothly along them."""

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from models import latents, pixels
from models.registry import Architecture
from training.record import class_captions, contact_sheet, grid_layout


def draw(generator: nn.Module, architecture: Architecture, classes: tuple[str, ...]) -> Image.Image:
    """Draw walks of a generator in eval mode: a row each, and the same walk through every class below each other."""
    columns, shown = grid_layout.columns(architecture), classes[: grid_layout.MOST_CLASSES] or ("",)
    blocks = []
    for walk in range(grid_layout.rows_per_class(architecture)):
        start, end = latents.sample(architecture.latent_dim, grid_layout.SEED, (2 * walk, 2 * walk + 1))
        z = torch.stack([slerp(start, end, place / (columns - 1)) for place in range(columns)])
        for number, name in enumerate(shown):
            images = _images(generator, z, number if classes else None)
            blocks.append(
                contact_sheet.Block(class_captions.label(number, name), images, number == 0 and bool(classes))
            )
    return contact_sheet.compose(blocks, columns)


def slerp(start: Tensor, end: Tensor, share: float) -> Tensor:
    """Walk from one latent to another along an arc, which keeps to the norms that the generator knows.

    Shapes: (latent_dim,) in and out; share in [0, 1]. Latents on one line, which no single arc joins, are mixed.
    Source: Shoemake 1985, "Animating Rotation with Quaternion Curves"; for latents White 2016, section 2.1.
    """
    angle = cosine_similarity(start, end, dim=0).clamp(-1, 1).acos()
    if angle.sin() < 1e-4:
        return start.lerp(end, share)
    return (((1 - share) * angle).sin() * start + (share * angle).sin() * end) / angle.sin()


@torch.inference_mode()
def _images(generator: nn.Module, z: Tensor, label: int | None) -> Tensor:
    device = next(generator.parameters()).device
    labels = None if label is None else torch.full((len(z),), label, device=device)
    return pixels.to_uint8(generator(z.to(device), labels)).cpu()
