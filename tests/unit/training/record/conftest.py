from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from training.record import EpochLine

MakeLine = Callable[..., EpochLine]


@pytest.fixture
def make_line() -> MakeLine:
    def make(images_seen: int = 100, **changes: object) -> EpochLine:
        values: dict[str, object] = {
            "epoch": images_seen // 100,
            "loss_g": 2.5,
            "loss_d": 0.75,
            "real_score": 0.8,
            "fake_score": 0.2,
            "images_seen": images_seen,
            "images_per_s": 50.0,
            "seconds": images_seen / 50,
        }
        return EpochLine.model_validate(values | changes)

    return make


class Painter(nn.Module):
    """A generator whose images are plain: red tells the class, green the first value of z."""

    def __init__(self, resolution: int) -> None:
        super().__init__()
        self.resolution = resolution
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        red = torch.zeros(len(z)) if labels is None else labels / 64
        colours = torch.stack([red, z[:, 0].tanh(), torch.full((len(z),), -1.0)], dim=1)
        return colours[:, :, None, None].expand(-1, -1, self.resolution, self.resolution)


@pytest.fixture
def painter() -> Callable[[int], Painter]:
    return Painter
