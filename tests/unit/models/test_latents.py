import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models import latents
from models.errors import LatentError

seeds = st.integers(0, latents.MAX_SEED)
indices = st.integers(0, latents.MAX_INDEX)


# Known answers of Philox4x32-10 from the Random123 distribution of its authors (file kat_vectors).
@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0,) * 4, (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_its_authors_known_answers(
    counter: tuple[int, ...], key: tuple[int, int], expected: tuple[int, ...]
) -> None:
    words = latents.philox4x32([torch.tensor([word]) for word in counter], key)
    assert tuple(int(word) for word in words) == expected


# The vectors of docs/latents.md.
@pytest.mark.parametrize(
    ("seed", "index", "expected"),
    [
        (0, 0, [0.991137683391571, -0.9246625900268555, -0.6176089644432068, -0.48206859827041626]),
        (1234567890123, 5, [0.5665321350097656, -2.1107821464538574, -0.06434451788663864, -1.495481014251709]),
        (1234567890123, 2**32, [1.5581786632537842, -0.5617343783378601, -0.48762866854667664, 0.0034961930941790342]),
        (2**53 - 1, 2**53 - 1, [-0.0965934470295906, -1.3248578310012817, -1.1609973907470703, -0.4258555769920349]),
    ],
)
def test_published_vectors_hold(seed: int, index: int, expected: list[float]) -> None:
    assert latents.sample(4, seed, [index]).tolist()[0] == expected


@given(seed=seeds, batch=st.lists(indices, min_size=1, max_size=20), dim=st.integers(1, 130))
def test_a_latent_does_not_depend_on_its_batch(seed: int, batch: list[int], dim: int) -> None:
    together = latents.sample(dim, seed, batch)
    alone = torch.cat([latents.sample(dim, seed, [index]) for index in reversed(batch)])
    assert torch.equal(together, alone.flip(0))


@given(seed=seeds, index=indices, dim=st.integers(1, 129))
def test_a_longer_latent_starts_with_the_shorter_one(seed: int, index: int, dim: int) -> None:
    assert torch.equal(latents.sample(130, seed, [index])[:, :dim], latents.sample(dim, seed, [index]))


@given(seed=seeds, pair=st.lists(indices, min_size=2, max_size=2, unique=True))
def test_two_indices_never_share_a_latent(seed: int, pair: list[int]) -> None:
    first, second = latents.sample(8, seed, pair)
    assert not torch.equal(first, second)


def test_values_are_standard_normal() -> None:
    values = latents.sample(100, 7, range(10_000)).double()
    # A million draws: five standard errors of the mean, the variance and the fourth moment.
    assert abs(values.mean()) < 5e-3
    assert abs(values.var() - 1) < 5 * 2**0.5 * 1e-3
    assert abs((values**4).mean() - 3) < 5 * 96**0.5 * 1e-3
    assert abs(torch.corrcoef(values.T).fill_diagonal_(0)).max() < 0.06


@pytest.mark.parametrize("seed", [-1, 2**53])
def test_a_seed_out_of_range_is_refused_with_the_limit(seed: int) -> None:
    with pytest.raises(LatentError, match=f"0..{latents.MAX_SEED}, got {seed}"):
        latents.sample(4, seed, [0])


@pytest.mark.parametrize("index", [-1, 2**53])
def test_an_index_out_of_range_is_refused(index: int) -> None:
    with pytest.raises(LatentError, match="an index lies in"):
        latents.sample(4, 0, [3, index])


def test_no_indices_give_no_latents() -> None:
    assert latents.sample(4, 0, []).shape == (0, 4)
