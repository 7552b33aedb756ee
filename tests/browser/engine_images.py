"""Images of the engine in a real browser, and the images of PyTorch to compare them with."""

import base64
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from playwright.sync_api import Page
from torch import Tensor, nn

from models import pixels
from models.browser.packed_model import PackedModel
from models.checkpoint import Header

_DRAW = """async ({engine, weights, latents, classWeights}) => {
  const { Engine } = await import(new URL("ui/live/engine.js", document.baseURI).href);
  const compiled = await WebAssembly.compile(await (await fetch("ui/live/engine.wasm")).arrayBuffer());
  const bytes = Uint8Array.from(atob(weights), (character) => character.charCodeAt(0));
  const drawing = new Engine(compiled, JSON.parse(engine), bytes.buffer);
  return latents.map((latent, i) => {
    let text = "";
    for (const value of drawing.draw(Float32Array.from(latent), classWeights[i])) text += String.fromCharCode(value);
    return btoa(text);
  });
}"""


def draw_in_browser(page: Page, packed: PackedModel, z: Tensor, class_weights: Tensor) -> NDArray[np.uint8]:
    """Draw images. Shapes: z (n, latent_size), class_weights (n, classes); returns (n, h, w, 4) RGBA."""
    encoded: Sequence[str] = page.evaluate(
        _DRAW,
        {
            "engine": packed.engine.model_dump_json(),
            "weights": base64.b64encode(packed.weights).decode(),
            "latents": z.tolist(),
            "classWeights": class_weights.tolist(),
        },
    )
    side = packed.engine.resolution
    return np.stack([np.frombuffer(base64.b64decode(each), np.uint8).reshape(side, side, 4) for each in encoded])


@torch.inference_mode()
def draw_by_pytorch(header: Header, generator: nn.Module, z: Tensor, class_weights: Tensor) -> NDArray[np.uint8]:
    """Draw images in float32. Shapes: as in `draw_in_browser`; returns (n, h, w, 3)."""
    mixed = class_weights @ generator.get_parameter("embedding.weight") if header.classes else None
    images = generator(z, mixed)
    return pixels.to_uint8(images).permute(0, 2, 3, 1).numpy()
