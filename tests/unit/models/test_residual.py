import pytest
import torch
from torch.nn.functional import interpolate
from torch.profiler import ProfilerActivity, profile

from models.registry import Architecture, build_discriminator, build_generator
from models.residual import halvings, upsample_repeatably, widths


def architecture(resolution: int = 32, classes: int = 0) -> Architecture:
    return Architecture(name="residual", resolution=resolution, latent_dim=12, channels=4, classes=classes)


@pytest.mark.parametrize(("resolution", "start"), [(32, 4), (48, 6), (64, 4), (80, 5), (96, 6), (128, 4), (144, 9)])
def test_the_start_grid_is_small_and_doubles_to_the_image(resolution: int, start: int) -> None:
    assert start * 2 ** halvings(resolution) == resolution


def test_levels_grow_wider_up_to_a_limit() -> None:
    assert widths(128, 8) == [8, 16, 32, 32, 32]


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("resolution", [32, 48, 64, 96, 128])
def test_generator_and_discriminator_fit_each_other(resolution: int, classes: int) -> None:
    asked = architecture(resolution, classes)
    labels = torch.tensor([0, 2]) if classes else None
    images = build_generator(asked).eval()(torch.randn(2, 12), labels)
    assert images.shape == (2, 3, resolution, resolution)
    assert images.abs().max() <= 1
    assert build_discriminator(asked, 4)(images, labels).shape == (2,)


def test_the_label_changes_image_and_logit() -> None:
    asked = architecture(classes=3)
    generator, discriminator = build_generator(asked).eval(), build_discriminator(asked, 4).eval()
    images = generator(torch.randn(1, 12).repeat(2, 1), torch.tensor([0, 1]))
    assert not torch.equal(images[0], images[1])
    logits = discriminator(images[:1].repeat(2, 1, 1, 1), torch.tensor([0, 1]))
    assert logits[0] != logits[1]


def test_the_variance_survives_all_levels() -> None:
    torch.manual_seed(0)
    asked = Architecture(name="residual", resolution=64, latent_dim=64, channels=16, classes=0)
    generator, discriminator = build_generator(asked), build_discriminator(asked, 16)
    assert 0.2 < generator(torch.randn(64, 64)).std() < 3
    assert 0.03 < discriminator(torch.randn(64, 3, 64, 64)).std() < 5


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_repeatable_doubling_is_pytorchs_without_operators_whose_sums_vary(layout: torch.memory_format) -> None:
    x = torch.randn(2, 3, 5, 8).contiguous(memory_format=layout).requires_grad_()
    expected = interpolate(x, scale_factor=2.0, mode="bilinear")
    weights = torch.rand_like(expected)
    (gradient,) = torch.autograd.grad((expected * weights).sum(), x)
    with profile(activities=[ProfilerActivity.CPU]) as operators:
        found = upsample_repeatably(x)
        (own,) = torch.autograd.grad((found * weights).sum(), x)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(own, gradient, rtol=0, atol=1e-5)
    names = [event.key for event in operators.key_averages()]
    assert any("aten::cat" in name for name in names)
    assert not [name for name in names if "index" in name or "scatter" in name or "upsample" in name]
