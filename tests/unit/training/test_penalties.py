import pytest
import torch
from torch import Tensor, nn

from training.penalties import clip, one_centred, zero_centred

W = torch.tensor([3.0, 4.0])


def linear(images: Tensor) -> Tensor:
    """Logits whose gradient is (3, 4) everywhere: of norm 5."""
    return images.flatten(1)[:, :2] @ W


def quadratic(images: Tensor) -> Tensor:
    """Logits whose gradient is the image itself."""
    return images.flatten(1).square().sum(1) / 2


def test_r1_of_a_linear_discriminator_is_its_squared_norm() -> None:
    assert zero_centred(linear, torch.randn(6, 3, 2, 2)).item() == pytest.approx(25)


def test_r1_is_a_mean_over_images_not_over_pixels() -> None:
    images = torch.zeros(2, 3, 2, 2)
    images[0] = 1.0
    assert zero_centred(quadratic, images).item() == pytest.approx(12 / 2)


def test_the_gradient_penalty_wants_a_norm_of_one() -> None:
    real, fake, share = torch.randn(6, 3, 2, 2), torch.randn(6, 3, 2, 2), torch.rand(6, 1, 1, 1)
    assert one_centred(linear, real, fake, share).item() == pytest.approx(16)
    assert one_centred(lambda x: linear(x) / 5, real, fake, share).item() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("share", "norm"), [(0.0, 2.0), (1.0, 4.0), (0.25, 2.5)])
def test_the_gradient_penalty_looks_between_fake_and_real(share: float, norm: float) -> None:
    side = torch.ones(1, 1, 2, 2)
    found = one_centred(quadratic, 2 * side, side, torch.full((1, 1, 1, 1), share))
    assert found.item() == pytest.approx((norm - 1) ** 2)


@pytest.mark.parametrize("penalty", ["zero", "one"])
def test_a_penalty_s_gradient_is_the_one_of_finite_differences(penalty: str) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.Tanh(), nn.Linear(5, 1), nn.Flatten(0)).double()
    real, fake = torch.randn(2, 4, 3, 2, 2, dtype=torch.float64)
    share = torch.rand(4, 1, 1, 1, dtype=torch.float64)
    names = [name for name, _ in network.named_parameters()]

    def value(*weights: Tensor) -> Tensor:
        def logits_of(images: Tensor) -> Tensor:
            logits: Tensor = torch.func.functional_call(network, dict(zip(names, weights, strict=True)), images)
            return logits

        return zero_centred(logits_of, real) if penalty == "zero" else one_centred(logits_of, real, fake, share)

    weights = tuple(w.detach().clone().requires_grad_(True) for w in network.parameters())
    assert torch.autograd.gradcheck(value, weights)


def test_clipping_holds_every_weight() -> None:
    network = nn.Linear(50, 50)
    clip(network, 0.01)
    assert max(w.abs().max().item() for w in network.parameters()) <= 0.01
    assert network.weight.abs().max().item() == pytest.approx(0.01)
