"""Draws previews: the images of points side by side in one JPEG."""

import io

import torch
from PIL import Image
from torch import Tensor

from worker.contracts.points import class_weights
from worker.contracts.previews import Preview
from worker.errors import ModelUnavailableError
from worker.rendering.loaded_model import Labels, LoadedModel

_QUALITY = 90


def draw_sheet(preview: Preview, model: LoadedModel) -> bytes:
    """Return a JPEG with the images of points, row by row. The images are not exact to the bit: slots are shared."""
    if preview.sliders is not None and preview.sliders != model.sliders_sha256:
        raise ModelUnavailableError(
            f"this worker does not have the sliders {preview.sliders[:8]} of {model.entry.name}"
        )
    images = _draw(preview, model)
    file = io.BytesIO()
    Image.fromarray(_arrange(images, preview.columns).numpy()).save(file, "JPEG", quality=_QUALITY, subsampling="4:4:4")
    return file.getvalue()


def _draw(preview: Preview, model: LoadedModel) -> Tensor:
    """Draw the images in whole batches, whose last slots stay unused. Shapes: returns (n, 3, h, w) uint8."""
    z, size = model.latents_of(preview.points), model.batch_size
    labels = _labels(preview, model)
    parts = []
    for start in range(0, len(z), size):
        rows = torch.arange(start, start + size).clamp(max=len(z) - 1)
        batch_labels = labels[rows] if isinstance(labels, Tensor) else [labels[row] for row in rows.tolist() if labels]
        parts.append(model.render(z[rows], batch_labels, range(min(size, len(z) - start))))
    return torch.cat(parts)


def _labels(preview: Preview, model: LoadedModel) -> Labels:
    weights = [class_weights(point, model.entry.classes) for point in preview.points]
    if all(len(each) == 1 for each in weights):
        return [label for each in weights for label in each]
    mixed = model.mix_classes(weights)
    return [] if mixed is None else mixed


def _arrange(images: Tensor, columns: int) -> Tensor:
    """Put images into rows, with black in the places that are left. Shapes: (n, 3, h, w); returns (H, W, 3) uint8."""
    count, channels, height, width = images.shape
    rows = -(-count // columns)
    filled = torch.cat([images, images.new_zeros(rows * columns - count, channels, height, width)])
    grid = filled.view(rows, columns, channels, height, width).permute(0, 3, 1, 4, 2)
    return grid.reshape(rows * height, columns * width, channels).contiguous()
