import pytest
import torch
from torch import Tensor, nn

from models.inference import ServedDcgan, served
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
def test_a_served_dcgan_renders_what_the_generator_does(resolution: int, classes: int, sphere: bool) -> None:
    architecture = Architecture(
        name="dcgan", resolution=resolution, latent_dim=7, channels=4, classes=classes, sphere=sphere
    )
    generator = trained(architecture)
    z, labels = torch.randn(5, 7), torch.arange(5) % 3 if classes else None
    expected = generator(z, labels)
    assert expected.std() > 0.1
    made = served(generator)
    assert isinstance(made, ServedDcgan)
    torch.testing.assert_close(made(z, labels), expected, rtol=0, atol=2e-5)  # float32, sums in another order


def test_what_cannot_be_rewritten_is_kept() -> None:
    generator = trained(Architecture(name="residual", resolution=32, latent_dim=7, channels=4, classes=0))
    assert served(generator) is generator


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@torch.inference_mode()
def test_a_part_of_a_batch_comes_out_as_it_does_among_all(dtype: torch.dtype) -> None:
    made, grids = served_with_grids(dtype)
    assert made.is_divisible([grids])
    whole = made.images(grids)
    for size in (1, 2, 4, 8):
        assert torch.equal(torch.cat([made.images(few) for few in torch.split(grids, size)]), whole)


@torch.inference_mode()
def test_a_layer_that_looks_at_neighbours_is_found_out() -> None:
    made, grids = served_with_grids(torch.bfloat16)
    made.ups[1] = nn.Sequential(made.ups[1], Neighbourly())
    assert not made.is_divisible([grids])


def test_small_networks_are_tried_with_more_batches() -> None:
    made, grids = served_with_grids(torch.float32)
    first = made.ups[0].forward(grids)
    fewest = min(output.numel() for output in (first, made.images(grids)))
    assert (made.batches_to_try(16) - 1) * fewest < 190_000 <= made.batches_to_try(16) * fewest


class Neighbourly(nn.Module):
    """Adds to every image next to nothing of all."""

    def forward(self, x: Tensor) -> Tensor:
        return x + x.mean(0) / 512


def served_with_grids(dtype: torch.dtype) -> tuple[ServedDcgan, Tensor]:
    made = served(trained(Architecture(name="dcgan", resolution=32, latent_dim=7, channels=16, classes=0))).to(dtype)
    assert isinstance(made, ServedDcgan)
    return made, made.grids(torch.randn(16, 7, dtype=dtype))
