import pytest
import torch

from worker.style import losses


def test_a_gram_matrix_is_that_of_each_image_alone() -> None:
    features = torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]], [[[0.0, 1.0]], [[1.0, 0.0]]]])  # (2, 2, 1, 2)
    found = losses.gram(features)
    assert found.tolist() == [[[5 / 4, 11 / 4], [11 / 4, 25 / 4]], [[1 / 4, 0], [0, 1 / 4]]]
    assert torch.equal(losses.gram(features[1:]), found[1:])


def test_a_distance_is_relative_to_its_target() -> None:
    target = torch.tensor([[3.0, 4.0]])
    assert losses.relative(torch.tensor([[3.0, 4.0], [0.0, 0.0], [3.0, 9.0]]), target).tolist() == [0, 1, 1]


def test_layers_are_averaged_by_their_weights() -> None:
    features = {"a": torch.ones(1, 1, 2, 2), "b": torch.full((1, 1, 2, 2), 2.0)}
    grams = {"a": torch.ones(1, 1, 1), "b": torch.full((1, 1, 1), 2.0)}  # 4 was found where 2 is wanted: distance 1
    assert losses.style(features, grams, {"a": 1, "b": 3}).item() == pytest.approx(3 / 4)


def test_total_variation_counts_steps() -> None:
    flat, striped = torch.full((1, 3, 4, 4), 0.3), torch.zeros(1, 3, 4, 4)
    striped[..., ::2] = 1
    assert losses.total_variation(torch.cat([flat, striped])).tolist() == [0, 1]


def test_gradients_are_right() -> None:
    torch.manual_seed(0)
    x = torch.rand(2, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    target = torch.rand(1, 3, 4, 4, dtype=torch.float64)

    def loss(x: torch.Tensor) -> torch.Tensor:
        flat, wanted = x.flatten(1), target.flatten(1)
        return ((flat - wanted).square().sum(1) / wanted.square().sum(1)).sum()

    (found,) = torch.autograd.grad(losses.relative(x, target).sum(), x)
    (expected,) = torch.autograd.grad(loss(x), x)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_the_gradient_of_a_gram_matrix_is_right() -> None:
    torch.manual_seed(0)
    x = torch.rand(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(losses.gram, x)


def test_a_gram_matrix_of_bfloat16_is_one_of_float32_but_for_rounding() -> None:
    torch.manual_seed(0)
    x = torch.rand(2, 64, 32, 32)
    found, expected = losses.gram(x.bfloat16()), losses.gram(x.bfloat16().float())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, rtol=2**-8, atol=0)  # bfloat16 has 8 bits


def test_only_features_that_are_too_near_to_the_mean_are_penalised() -> None:
    features = losses.unit_features(torch.tensor([[2.0, 0.0], [0.0, 3.0], [3.0, 4.0]]))
    torch.testing.assert_close(features[2], torch.tensor([0.6, 0.8]))
    found = losses.excess_similarity(features, torch.tensor([0.5, 0.5]), 0.6)
    torch.testing.assert_close(found, torch.tensor([0.0, 0.0, 0.1]))
