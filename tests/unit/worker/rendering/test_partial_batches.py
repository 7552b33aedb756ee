import pytest
import torch
from torch import Tensor, nn

from models.inference import InferenceDcgan, for_inference
from models.registry import Architecture, build_generator
from worker.rendering import partial_batches

BATCH_SIZE = 16


class DependsOnBatch(nn.Module):
    """Adds a small share of the mean of all images to every image."""

    def forward(self, x: Tensor) -> Tensor:
        return x + x.mean(0) / 512


def dcgan(dtype: torch.dtype) -> InferenceDcgan:
    torch.manual_seed(0)
    architecture = Architecture(name="dcgan", resolution=32, latent_dim=7, channels=16, classes=0)
    generator = build_generator(architecture)
    for weights in generator.parameters():
        nn.init.normal_(weights, 0.05, 0.3)
    made = for_inference(generator.eval()).to(dtype)
    assert isinstance(made, InferenceDcgan)
    return made


def are_exact(generator: InferenceDcgan, dtype: torch.dtype) -> bool:
    z = torch.randn(BATCH_SIZE, 7, dtype=dtype)
    return partial_batches.are_exact(generator, BATCH_SIZE, lambda _: generator.grids(z))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@torch.inference_mode()
def test_a_part_of_a_batch_gives_the_same_bits_as_the_batch(dtype: torch.dtype) -> None:
    generator, z = dcgan(dtype), torch.randn(BATCH_SIZE, 7, dtype=dtype)
    assert are_exact(generator, dtype)
    grids, whole = generator.grids(z), generator(z)
    for rows in ([0], [3, 4], [6], [9, 2, 14], [*range(5, 16)], [*range(16)]):
        assert torch.equal(generator.images(grids[rows]), whole[rows])


class DependsOnNumber(nn.Module):
    """Changes one value of the first image if there are 11 images."""

    def forward(self, x: Tensor) -> Tensor:
        changed = x.clone()
        if len(x) == 11:
            changed[0, 0, 0, 0] += 1
        return changed


@pytest.mark.parametrize("fault", [DependsOnBatch, DependsOnNumber])
@torch.inference_mode()
def test_a_layer_that_depends_on_the_batch_is_detected(fault: type[nn.Module]) -> None:
    generator = dcgan(torch.bfloat16)
    generator.ups[1] = nn.Sequential(generator.ups[1], fault())
    assert not are_exact(generator, torch.bfloat16)


@torch.inference_mode()
def test_small_networks_are_tried_with_more_batches() -> None:
    generator = dcgan(torch.float32)
    grids = generator.grids(torch.randn(BATCH_SIZE, 7))
    first = generator.ups[0].forward(grids)
    fewest = min(output.numel() for output in (first, generator.images(grids)))
    batches = partial_batches.batches_to_try(generator, BATCH_SIZE)
    assert (batches - 1) * fewest < 190_000 <= batches * fewest


@pytest.mark.parametrize(
    ("images", "threads", "size"), [(1, 2, 1), (3, 2, 2), (10, 2, 4), (16, 2, 8), (16, 1, 16), (500, 4, 16)]
)
def test_few_images_are_split_among_the_threads(images: int, threads: int, size: int) -> None:
    assert partial_batches.portion_size(BATCH_SIZE, images, threads) == size
