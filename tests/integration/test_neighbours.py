"""What an image's neighbours do to it when it is styled, with the real VGG19: nothing."""

import torch

from models import registry
from models.precision import fastest_dtype
from tests.conftest import DataFile
from worker.contracts.uploaded_images import normalise
from worker.rendering.device import choose_device
from worker.rendering.engine import RenderEngine
from worker.style import image_tensors, vgg
from worker.style.gatys import GatysSettings, StyleTransfer

WEIGHTS = "weights/vgg19_features.safetensors"
PAINTING = "data/styles/starry-night-van-gogh.jpg"
MANY = 64


def test_an_image_alone_is_the_image_among_64(data_file: DataFile) -> None:
    weights, picture = data_file(WEIGHTS), data_file(PAINTING)
    device = choose_device("cpu")
    runtime = RenderEngine([registry.find("faces-64")], device)
    model = runtime.model(runtime.entries[0])
    blocks = [range(k, k + model.batch_size) for k in range(0, MANY, model.batch_size)]
    images = torch.cat([model.render(model.latents(1, block), model.labels(block)) for block in blocks]) / 255
    painting = image_tensors.from_picture(normalise(picture.read_bytes(), 512))
    transfer = StyleTransfer(vgg.load(weights, fastest_dtype(device), device), painting, GatysSettings(steps=2))
    together = transfer.apply(images, 1.0, lambda _: True)
    for place in (0, 7, MANY - 1):
        alone = transfer.apply(images[place : place + 1], 1.0, lambda _: True)[0]
        difference = float((alone - together[place]).abs().max())
        print(f"largest difference of image {place} alone: {255 * difference} levels")  # noqa: T201
        assert difference < 1 / 255
