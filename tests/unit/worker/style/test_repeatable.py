"""The operators of a GPU compute what PyTorch's own compute, with gradients."""

import pytest
import torch
from torch.nn.functional import interpolate, pad

from worker.style.repeatable import enlarge, replicate_edges


@pytest.mark.parametrize(("side", "shape"), [((64, 64), (128, 128)), ((40, 60), (85, 128)), ((32, 32), (32, 32))])
def test_images_are_enlarged_as_by_pytorch(side: tuple[int, int], shape: tuple[int, int]) -> None:
    images = torch.rand(2, 3, *side, dtype=torch.float32, requires_grad=True)
    expected = interpolate(images, list(shape), mode="bilinear", align_corners=False)
    weights = torch.rand_like(expected)
    (gradient,) = torch.autograd.grad((expected * weights).sum(), images)
    found = enlarge(images, shape)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    (own,) = torch.autograd.grad((found * weights).sum(), images)
    torch.testing.assert_close(own, gradient, rtol=0, atol=1e-5)


def test_edges_are_replicated_as_by_pytorch() -> None:
    images = torch.rand(2, 3, 5, 7, requires_grad=True)
    expected = pad(images, (1, 1, 1, 1), "replicate")
    assert torch.equal(replicate_edges(images), expected)
    weights = torch.rand_like(expected)
    (gradient,) = torch.autograd.grad((expected * weights).sum(), images)
    (own,) = torch.autograd.grad((replicate_edges(images) * weights).sum(), images)
    torch.testing.assert_close(own, gradient, rtol=0, atol=1e-6)
