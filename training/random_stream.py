"""The random stream of a run. Every process draws for the whole batch and keeps its own slice."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class RandomStream:
    """Random numbers for a batch. The slices of all processes together equal the numbers of a single process."""

    generator: torch.Generator
    rank: int = 0
    world_size: int = 1

    def normal(self, n: int, *shape: int) -> Tensor:
        """Draw standard-normal numbers. Shapes: returns (n, *shape); n counts this process's images."""
        # All processes draw the numbers of the whole batch, so their generators stay equal.
        return self._slice(torch.randn(n * self.world_size, *shape, generator=self.generator, device=self._device), n)

    def uniform(self, n: int, *shape: int) -> Tensor:
        """Draw numbers in [0, 1). Shapes: as `normal`."""
        return self._slice(torch.rand(n * self.world_size, *shape, generator=self.generator, device=self._device), n)

    def integers(self, end: int, n: int, *shape: int) -> Tensor:
        """Draw integers in [0, end). Shapes: as `normal`."""
        whole = torch.randint(0, end, (n * self.world_size, *shape), generator=self.generator, device=self._device)
        return self._slice(whole, n)

    @property
    def _device(self) -> torch.device:
        return self.generator.device

    def _slice(self, whole: Tensor, n: int) -> Tensor:
        return whole[self.rank * n : (self.rank + 1) * n]
