import pytest
import torch
from torch import Tensor
from torchvision.models import vgg19

from worker.errors import DivergedError
from worker.style import losses
from worker.style.gatys import GatysSettings, OnStep, StoppedError, StyleTransfer
from worker.style.vgg import Vgg19

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
SMALL = GatysSettings(steps=6, min_side=32, coarsest_side=64)


def on(_step: int) -> bool:
    return True


@pytest.fixture(scope="module")
def network() -> Vgg19:
    torch.manual_seed(0)
    return Vgg19(vgg19(weights=None).state_dict(), torch.float32, CPU)


@pytest.fixture
def images() -> Tensor:
    torch.manual_seed(1)
    return torch.rand(4, 3, 32, 32)


@pytest.fixture
def transfer(network: Vgg19) -> StyleTransfer:
    torch.manual_seed(2)
    return StyleTransfer(network, torch.rand(3, 40, 60), SMALL)


def test_images_come_nearer_to_the_style(transfer: StyleTransfer, images: Tensor) -> None:
    styled = transfer.apply(images, 1.0, on)
    assert styled.shape == images.shape
    assert 0 <= float(styled.min()) <= float(styled.max()) <= 1
    content, style = transfer.losses(images, styled)
    _, before = transfer.losses(images, images)
    assert (style < before).all()
    assert (content > 0).all()


def test_an_image_does_not_depend_on_the_images_beside_it(transfer: StyleTransfer, images: Tensor) -> None:
    together = transfer.apply(images, 1.0, on)
    other = transfer.apply(torch.cat([images[:1], torch.zeros_like(images[1:])]), 1.0, on)
    assert torch.equal(other[0], together[0])
    for k in range(len(images)):  # in a batch of another size, rounding differs, and Adam's first steps go by signs
        alone = transfer.apply(images[k : k + 1], 1.0, on)
        assert float((together[k] - alone[0]).abs().mean()) < 1e-3  # a quarter of a level of 256


def test_no_strength_leaves_images_as_they_were(transfer: StyleTransfer, images: Tensor) -> None:
    assert torch.equal(transfer.apply(images, 0.0, on), images)


def test_more_strength_is_nearer_to_the_style(network: Vgg19, images: Tensor) -> None:
    transfer = StyleTransfer(network, torch.rand(3, 40, 60), GatysSettings(steps=30, min_side=32))
    styles = [float(transfer.losses(images, transfer.apply(images, s, on))[1].mean()) for s in (0.05, 1.0)]
    assert styles[0] > styles[1]


def test_large_images_are_styled_from_coarse_to_fine(network: Vgg19) -> None:
    transfer = StyleTransfer(network, torch.rand(3, 64, 64), SMALL)
    told: list[int] = []

    def watch(done: int) -> bool:
        told.append(done)
        return True

    styled = transfer.apply(torch.rand(1, 3, 80, 160), 1.0, watch)
    assert styled.shape == (1, 3, 80, 160)
    assert told == list(range(1, transfer.steps(80, 160) + 1))
    assert transfer.steps(80, 160) == 9 + 9 + 6  # 64, 80 and 160 px wide
    assert transfer.steps(32, 20) == 6


@pytest.mark.parametrize("keep_colours", [False, True])
@pytest.mark.parametrize("shape", [(41, 64), (64, 43), (17, 64)])
def test_sizes_that_do_not_halve_are_kept(network: Vgg19, shape: tuple[int, int], keep_colours: bool) -> None:
    settings = GatysSettings(steps=2, min_side=32, coarsest_side=32, keep_colours=keep_colours)
    transfer = StyleTransfer(network, torch.rand(3, 40, 60), settings)
    images = torch.rand(1, 3, *shape)
    assert transfer.apply(images, 1.0, on).shape == images.shape
    assert torch.equal(transfer.apply(images, 0.0, on), images)


def test_the_callback_can_stop_the_optimisation(transfer: StyleTransfer, images: Tensor) -> None:
    with pytest.raises(StoppedError):
        transfer.apply(images, 1.0, lambda done: done < 3)


def test_colours_can_be_kept(network: Vgg19, images: Tensor) -> None:
    transfer = StyleTransfer(network, torch.rand(3, 40, 60), GatysSettings(steps=6, min_side=32, keep_colours=True))
    styled = transfer.apply(images * 0.5 + 0.25, 1.0, on)
    chroma = styled - styled.mean(1, keepdim=True) - (images * 0.5 + 0.25 - (images * 0.5 + 0.25).mean(1, keepdim=True))
    assert float(chroma.abs().median()) < 1e-3


def test_an_optimisation_that_diverged_is_repeated_with_a_smaller_learning_rate(
    transfer: StyleTransfer, images: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: list[float] = []
    optimised = StyleTransfer._optimise

    def diverging(self: StyleTransfer, images: Tensor, strength: float, rate: float, watch: OnStep) -> Tensor:
        rates.append(rate)
        found = optimised(self, images, strength, rate, watch)
        return found if len(rates) == 3 else found * float("nan")

    monkeypatch.setattr(StyleTransfer, "_optimise", diverging)
    assert transfer.apply(images, 1.0, on).isfinite().all()
    assert rates == [0.03, 0.015, 0.0075]
    monkeypatch.setattr(losses, "relative", lambda found, _: found.flatten(1).sum(1) * float("nan"))
    rates.clear()
    monkeypatch.setattr(StyleTransfer, "_optimise", optimised)
    with pytest.raises(DivergedError):
        transfer.apply(images, 1.0, on)
