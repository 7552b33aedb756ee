"""The engine of the page draws the images of PyTorch, in a real browser."""

from typing import Literal

import numpy as np
import pytest
import torch
from playwright.sync_api import Page
from torch import nn

from models import checkpoint, latents, registry
from models.browser.packed_model import pack
from models.checkpoint import DataCredit, Header, Training, installed_versions
from models.registry import Architecture, build_generator
from tests.browser.engine_images import draw_by_pytorch, draw_in_browser

SEEDS, INDICES = (0, 7, 2**53 - 1), range(2**32 - 4, 2**32 + 20)


@pytest.fixture(autouse=True)
def opened(page: Page) -> None:
    """A view that draws nothing is open."""
    page.goto("#/key")


@pytest.mark.parametrize("model", sorted(registry.zoo()))
def test_shipped_models_are_drawn_within_one_level_of_pytorch(page: Page, model: str) -> None:
    header, generator = checkpoint.load_generator(registry.find(model))
    packed = pack(header, generator, "0" * 64)
    z = torch.cat([latents.sample(header.latent_dim, seed, INDICES) for seed in SEEDS])
    z *= torch.linspace(0.3, 1.5, len(z))[:, None]  # truncation
    mixed = torch.rand(len(z), len(header.classes), generator=torch.Generator().manual_seed(0)).softmax(dim=1)
    alone = torch.eye(len(header.classes))[torch.arange(len(z)) % len(header.classes)]
    weights = torch.where(torch.arange(len(z))[:, None] % 2 == 0, alone, mixed)
    found = draw_in_browser(page, packed, z, weights)
    expected = draw_by_pytorch(header, generator, z, weights)
    check_close(found, expected)
    assert expected.std() > 20


@pytest.mark.parametrize(
    ("name", "resolution", "latent_dim", "channels", "classes", "sphere"),
    [
        ("dcgan", 32, 16, 8, 3, True),  # the start grid has fewer than four columns
        ("dcgan", 48, 7, 4, 0, False),
        ("dcgan", 80, 13, 8, 5, False),  # neither grids nor tiles are multiples of four and twelve
        ("residual", 32, 16, 8, 3, True),
        ("residual", 48, 10, 4, 0, False),
        ("residual", 80, 64, 16, 2, False),
    ],
)
def test_all_shapes_are_drawn_within_one_level_of_pytorch(
    page: Page,
    name: Literal["dcgan", "residual"],
    resolution: int,
    latent_dim: int,
    channels: int,
    classes: int,
    sphere: bool,
) -> None:
    architecture = Architecture(
        name=name, resolution=resolution, latent_dim=latent_dim, channels=channels, classes=classes, sphere=sphere
    )
    header, generator = random_model(architecture)
    packed = pack(header, generator, "0" * 64)
    z = latents.sample(latent_dim, 1, range(12))
    weights = torch.rand(12, classes).softmax(dim=1) if classes else torch.zeros(12, 0)
    found = draw_in_browser(page, packed, z, weights)
    expected = draw_by_pytorch(header, generator, z, weights)
    check_close(found, expected)
    assert expected.std() > 20


def check_close(found: np.typing.NDArray[np.uint8], expected: np.typing.NDArray[np.uint8]) -> None:
    """Weights of 16 bits change 0.2 % of the values of a shipped model by one level. More would be a fault."""
    difference = np.abs(found[..., :3].astype(int) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01
    assert (found[..., 3] == 255).all()


def random_model(architecture: Architecture) -> tuple[Header, nn.Module]:
    torch.manual_seed(1)
    generator = build_generator(architecture)
    for module in generator.modules():
        if isinstance(module, nn.BatchNorm2d):  # as after training: no two channels alike
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.normal_(module.running_mean, 0, 0.3)
            nn.init.uniform_(module.running_var, 0.5, 2)
        if isinstance(module, nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0, (module.in_channels * 2) ** -0.5)
    header = Header(
        name="random",
        architecture=architecture,
        classes=tuple(f"class {label}" for label in range(architecture.classes)),
        data=DataCredit(name="noise", licence="CC0-1.0", images=1),
        training=Training(images_seen=0, device="cpu"),
        metrics={},
        recipe={},
        versions=installed_versions(),
    )
    return header, generator.eval().requires_grad_(False)
