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
    assert build_discriminator(asked, 4)(images, labels).shape == (2,)


def test_the_label_changes_image_and_logit() -> None:
    asked = architecture(classes=3)
    generator, discriminator = build_generator(asked).eval(), build_discriminator(asked, 4).eval()
    z = torch.randn(1, 12).repeat(2, 1)
    images = generator(z, torch.tensor([0, 1]))
    assert not torch.equal(images[0], images[1])
    logits = discriminator(images[:1].repeat(2, 1, 1, 1), torch.tensor([0, 1]))
    assert logits[0] != logits[1]


def test_the_sources_network_has_the_sources_size() -> None:
    sources = Architecture(name="dcgan", resolution=64, latent_dim=100, channels=64, classes=0)
    # Counted by hand from the layers of the DCGAN paper's figure 1 at 64 px.
    assert sum(p.numel() for p in build_generator(sources).parameters()) == 3_576_707
    assert sum(p.numel() for p in build_discriminator(sources, 64).parameters()) == 2_765_633


@pytest.mark.parametrize("resolution", [65, 72, 0, 1024])
def test_a_resolution_that_has_no_start_grid_is_refused(resolution: int) -> None:
    with pytest.raises(ValidationError, match="resolution"):
        architecture(resolution)


def batch_neighbours_matter(norm: bool) -> bool:
    discriminator = build_discriminator(architecture(), 4, norm=norm)
    images = torch.randn(4, 3, 64, 64)
    return not torch.allclose(discriminator(images)[:2], discriminator(images[:2]), atol=1e-4)


def test_without_norm_no_logit_depends_on_the_neighbours() -> None:
    assert batch_neighbours_matter(norm=True)
    assert not batch_neighbours_matter(norm=False)


def test_a_label_may_enter_by_projection() -> None:
    discriminator = build_discriminator(architecture(classes=3), 4, projection=True).eval()
    image = torch.randn(1, 3, 64, 64)
    logits = discriminator(image.repeat(3, 1, 1, 1), torch.arange(3))
    assert len(set(logits.tolist())) == 3


def test_spherical_latents_forget_their_length() -> None:
    sphere = architecture().model_copy(update={"sphere": True})
    generator, z = build_generator(sphere).eval(), torch.randn(1, 12)
    torch.testing.assert_close(generator(z), generator(7 * z))
    assert not torch.allclose(generator(z), generator(-z))
