"""A generator service as in tutorials: eager float32, Pillow and zipfile, one step after the other."""

import io
import zipfile

import torch
from PIL import Image
from torch import nn

from models import checkpoint, registry

_MODEL = "faces-64"
_BATCH = 64


class Tutorial:
    """The shipped generator on a device."""

    def __init__(self, device: str | None = None) -> None:
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        header, generator = checkpoint.load_generator(registry.find(_MODEL))
        self._latent_dim, self._classes = header.latent_dim, len(header.classes)
        self._generator: nn.Module = generator.to(self._device)

    @torch.no_grad()
    def archive(self, n: int) -> bytes:
        """Return a ZIP of n images, with all classes alternating."""
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for start in range(0, n, _BATCH):
                labels = torch.arange(start, min(start + _BATCH, n), device=self._device) % self._classes
                z = torch.randn(len(labels), self._latent_dim, device=self._device)
                images = ((self._generator(z, labels) + 1) * 127.5).clamp(0, 255).to(torch.uint8)
                for number, image in enumerate(images.permute(0, 2, 3, 1).cpu().numpy(), start):
                    png = io.BytesIO()
                    Image.fromarray(image).save(png, format="PNG")
                    archive.writestr(f"{number:06d}.png", png.getvalue())
        return file.getvalue()
