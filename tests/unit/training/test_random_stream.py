import torch

from training.random_stream import RandomStream


def drawn(stream: RandomStream, n: int) -> list[torch.Tensor]:
    return [stream.normal(n, 3), stream.uniform(n, 1, 1), stream.integers(9, n, 2), stream.normal(n, 1)]


def test_processes_together_draw_what_one_draws_alone() -> None:
    alone = drawn(RandomStream(torch.Generator().manual_seed(5)), 8)
    together = [drawn(RandomStream(torch.Generator().manual_seed(5), rank, 4), 2) for rank in range(4)]
    for whole, *parts in zip(alone, *together, strict=True):
        assert torch.equal(whole, torch.cat(parts))
