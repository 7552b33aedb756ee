import pytest
import torch
from torch import Tensor, nn

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


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@torch.inference_mode()
def test_a_part_of_a_batch_gives_the_same_bits_as_the_batch(dtype: torch.dtype) -> None:
    made, grids = inference_dcgan_with_grids(dtype)
    assert made.is_divisible([grids])
    whole = made.images(grids)
    for size in (1, 2, 4, 8):
        assert torch.equal(torch.cat([made.images(few) for few in torch.split(grids, size)]), whole)


@torch.inference_mode()
def test_a_layer_that_depends_on_the_batch_is_detected() -> None:
    made, grids = inference_dcgan_with_grids(torch.bfloat16)
    made.ups[1] = nn.Sequential(made.ups[1], Neighbourly())
    assert not made.is_divisible([grids])


def test_small_networks_are_tried_with_more_batches() -> None:
    made, grids = inference_dcgan_with_grids(torch.float32)
    first = made.ups[0].forward(grids)
    fewest = min(output.numel() for output in (first, made.images(grids)))
    assert (made.batches_to_try(16) - 1) * fewest < 190_000 <= made.batches_to_try(16) * fewest


class Neighbourly(nn.Module):
    """Adds to every image next to nothing of all."""

    def forward(self, x: Tensor) -> Tensor:
        return x + x.mean(0) / 512


def inference_dcgan_with_grids(dtype: torch.dtype) -> tuple[InferenceDcgan, Tensor]:
    made = for_inference(trained(Architecture(name="dcgan", resolution=32, latent_dim=7, channels=16, classes=0))).to(
        dtype
    )
    assert isinstance(made, InferenceDcgan)
    return made, made.grids(torch.randn(16, 7, dtype=dtype))
