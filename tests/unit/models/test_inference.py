import pytest
import torch
from torch import nn

from models.inference import InferenceDcgan, for_inference
from models.registry import Architecture, build_generator


def trained(architecture: Architecture) -> nn.Module:
    """A generator whose batch norms have seen something."""
    torch.manual_seed(0)
    generator = build_generator(architecture)
    for weights in generator.parameters():
        nn.init.normal_(weights, 0.05, 0.3)
    labels = torch.arange(32) % architecture.classes if architecture.classes else None
    for _ in range(20):
        generator(torch.randn(32, architecture.latent_dim), labels)
    return generator.eval()


@pytest.mark.parametrize("resolution", [32, 48, 96])
@pytest.mark.parametrize(("classes", "sphere"), [(0, False), (3, True)])
@torch.no_grad()
def test_a_rewritten_dcgan_renders_the_images_of_the_generator(resolution: int, classes: int, sphere: bool) -> None:
    architecture = Architecture(
        name="dcgan", resolution=resolution, latent_dim=7, channels=4, classes=classes, sphere=sphere
    )
    generator = trained(architecture)
    z, labels = torch.randn(5, 7), torch.arange(5) % 3 if classes else None
    expected = generator(z, labels)
    assert expected.std() > 0.1
    made = for_inference(generator)
    assert isinstance(made, InferenceDcgan)
    torch.testing.assert_close(made(z, labels), expected, rtol=0, atol=2e-5)  # float32, sums in another order


def test_other_generators_are_not_rewritten() -> None:
    generator = trained(Architecture(name="residual", resolution=32, latent_dim=7, channels=4, classes=0))
    assert for_inference(generator) is generator
