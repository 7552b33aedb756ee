import pytest
import torch
from pydantic import ValidationError

from models.registry import Architecture, build_discriminator, build_generator


def architecture(resolution: int = 64, classes: int = 0) -> Architecture:
    return Architecture(name="dcgan", resolution=resolution, latent_dim=12, channels=4, classes=classes)


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("resolution", [64, 96, 128])
def test_generator_and_discriminator_fit_each_other(resolution: int, classes: int) -> None:
    asked = architecture(resolution, classes)
    labels = torch.tensor([0, 2]) if classes else None
    images = build_generator(asked)(torch.randn(2, 12), labels)
    assert images.shape == (2, 3, resolution, resolution)
    assert images.abs().max() <= 1
    assert build_discriminator(asked)(images, labels).shape == (2,)


def test_the_label_changes_image_and_logit() -> None:
    asked = architecture(classes=3)
    generator, discriminator = build_generator(asked).eval(), build_discriminator(asked).eval()
    z = torch.randn(1, 12).repeat(2, 1)
    images = generator(z, torch.tensor([0, 1]))
    assert not torch.equal(images[0], images[1])
    logits = discriminator(images[:1].repeat(2, 1, 1, 1), torch.tensor([0, 1]))
    assert logits[0] != logits[1]


def test_the_sources_network_has_the_sources_size() -> None:
    sources = Architecture(name="dcgan", resolution=64, latent_dim=100, channels=64, classes=0)
    # Counted by hand from the layers of the DCGAN paper's figure 1 at 64 px.
    assert sum(p.numel() for p in build_generator(sources).parameters()) == 3_576_707
    assert sum(p.numel() for p in build_discriminator(sources).parameters()) == 2_765_633


@pytest.mark.parametrize("resolution", [65, 72, 0, 1024])
def test_a_resolution_that_has_no_start_grid_is_refused(resolution: int) -> None:
    with pytest.raises(ValidationError, match="resolution"):
        architecture(resolution)
