import torch

from training.augment import augment, mirror
from training.random_stream import RandomStream


def random(seed: int = 0) -> RandomStream:
    return RandomStream(torch.Generator().manual_seed(seed))


def images(n: int = 64) -> torch.Tensor:
    return torch.rand(n, 3, 16, 16, generator=random(9).generator) * 2 - 1


def test_p_zero_changes_nothing_and_draws_nothing() -> None:
    stream = random()
    before = stream.generator.get_state()
    assert torch.equal(augment(images(), 0, stream), images())
    assert torch.equal(stream.generator.get_state(), before)


def test_p_is_the_share_of_images_that_each_transform_changes() -> None:
    changed = (augment(images(2000), 0.3, random()) != images(2000)).flatten(1).any(1).double().mean()
    # Four coins of 0.3 leave 0.7^4 untouched; a null translation, 1 of 25, hides a little; five standard errors.
    assert abs(changed - (1 - 0.7**3 * (0.7 + 0.3 / 25))) < 5 * (0.24 * 0.76 / 2000) ** 0.5


def test_gradients_flow_through() -> None:
    x = images().requires_grad_()
    (grad,) = torch.autograd.grad(augment(x, 1, random()).square().sum(), x)
    assert (grad.flatten(1).abs().sum(1) > 0).all()


def test_the_same_stream_gives_the_same_augmentation() -> None:
    assert torch.equal(augment(images(), 0.5, random(3)), augment(images(), 0.5, random(3)))


def test_mirror_flips_about_half_of_the_images_and_changes_no_other() -> None:
    flipped = mirror(images(1000), random())
    same = (flipped == images(1000)).flatten(1).all(1)
    turned = (flipped == images(1000).flip(3)).flatten(1).all(1)
    assert (same ^ turned).all()
    assert 420 < turned.sum() < 580
