"""The strip: interpolations between fixed latents. Smooth changes show that a generator has not memorised samples."""

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from models import latents, pixels
from models.registry import Architecture
from training.record import class_captions, contact_sheet, grid_layout


def draw(generator: nn.Module, architecture: Architecture, classes: tuple[str, ...]) -> Image.Image:
    """Draw interpolations of a generator in eval mode: one per row, and each repeated for every class."""
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
    """Interpolate between two latents along an arc, which preserves the norms that the generator was trained on.

    Shapes: (latent_dim,) in and out; share in [0, 1]. Parallel latents have no unique arc and are mixed linearly.
    Source: Shoemake 1985, "Animating Rotation with Quaternion Curves"; for latents White 2016, section 2.1.
    """
    # Normal latents of many dimensions lie near a sphere, and a straight line would leave it.
    angle = cosine_similarity(start, end, dim=0).clamp(-1, 1).acos()
    if angle.sin() < 1e-4:
        return start.lerp(end, share)
    return (((1 - share) * angle).sin() * start + (share * angle).sin() * end) / angle.sin()


@torch.inference_mode()
def _images(generator: nn.Module, z: Tensor, label: int | None) -> Tensor:
    device = next(generator.parameters()).device
    labels = None if label is None else torch.full((len(z),), label, device=device)
    return pixels.to_uint8(generator(z.to(device), labels)).cpu()
