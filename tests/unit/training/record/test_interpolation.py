from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from models import latents
from models.registry import Architecture
from training.record import interpolation


def test_a_walk_starts_and_ends_at_its_latents() -> None:
    start, end = latents.sample(100, 0, (0, 1))
    # In float32 sin(angle) / sin(angle) is 1 to a few units in the last place.
    torch.testing.assert_close(interpolation.slerp(start, end, 0.0), start, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(interpolation.slerp(start, end, 1.0), end, rtol=1e-6, atol=1e-6)


def test_a_walk_between_equal_norms_keeps_the_norm_and_turns_evenly() -> None:
    start, end = nn.functional.normalize(latents.sample(100, 0, (0, 1)), dim=1)
    walk = torch.stack([interpolation.slerp(start, end, k / 4) for k in range(5)])
    torch.testing.assert_close(walk.norm(dim=1), torch.ones(5))
    cosines = (walk[1:] * walk[:-1]).sum(dim=1)
    torch.testing.assert_close(cosines, cosines[0].expand(4), rtol=1e-5, atol=1e-6)  # sums of 100 float32 products


@pytest.mark.parametrize("factor", [1.0, 2.0, -1.0], ids=["same", "same direction", "opposite"])
def test_latents_on_one_line_are_mixed(factor: float) -> None:
    start = latents.sample(1, 0, (0,))[0]
    middle = interpolation.slerp(start, factor * start, 0.5)
    torch.testing.assert_close(middle, (1 + factor) / 2 * start)


def test_every_class_walks_between_the_same_latents(painter: Callable[[int], nn.Module]) -> None:
    architecture = Architecture(name="dcgan", resolution=64, latent_dim=8, channels=4, classes=3)
    page = np.asarray(interpolation.draw(painter(64), architecture, ("a", "b", "c")))
    rows = [page[16 + 66 * k + 32][page[16 + 66 * k + 32, :, 2] == 0] for k in range(3)]
    assert len({tuple(row[:, 0]) for row in rows}) == 3  # red tells the class
    assert len({tuple(row[:, 1]) for row in rows}) == 1  # green tells z
    greens = rows[0][::64, 1]
    assert len(greens) == 12
    ends = latents.sample(8, 0, (0, 1))[:, 0].tanh()
    assert greens[[0, -1]].tolist() == [round((green + 1) * 127.5) for green in ends.tolist()]
    assert (greens[1:] != greens[:-1]).sum() > 6


def test_without_classes_there_are_six_walks(painter: Callable[[int], nn.Module]) -> None:
    architecture = Architecture(name="dcgan", resolution=64, latent_dim=8, channels=4, classes=0)
    assert interpolation.draw(painter(64), architecture, ()).height == 6 * 66 - 2 + 32
