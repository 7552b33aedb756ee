import pytest

from training import recipe, schedule
from training.recipe import Recipe


def resolved(**changes: object) -> Recipe:
    return recipe.checked(recipe.load("dcgan").model_dump() | changes)


@pytest.mark.parametrize(("progress", "share"), [(0, 1.0), (0.5, 0.625), (1, 0.25)])
def test_learning_rates_follow_a_cosine_to_their_last_share(progress: float, share: float) -> None:
    assert schedule.values_at(resolved(final_lr=0.25), progress).lr == pytest.approx(share)


@pytest.mark.parametrize(("progress", "gamma"), [(0, 2.0), (0.25, 0.2 * 10**0.5), (0.5, 0.2), (1, 0.2)])
def test_gamma_falls_geometrically_over_the_first_half(progress: float, gamma: float) -> None:
    falling = resolved(gamma=2.0, final_gamma=0.2, discriminator_norm=False)
    assert schedule.values_at(falling, progress).gamma == pytest.approx(gamma)


@pytest.mark.parametrize(("progress", "p"), [(0, 0.0), (0.1, 0.15), (0.2, 0.3), (1, 0.3)])
def test_augmentation_grows_over_its_ramp(progress: float, p: float) -> None:
    assert schedule.values_at(resolved(augment=0.3, augment_ramp=0.2), progress).augment == pytest.approx(p)


def test_instance_noise_fades_to_nothing() -> None:
    noises = [schedule.values_at(resolved(instance_noise=0.1), progress).instance_noise for progress in (0, 0.5, 1)]
    assert noises == pytest.approx([0.1, 0.05, 0])


def test_a_classic_recipe_changes_nothing_over_its_run() -> None:
    for name in ("dcgan", "wgan", "wgan-gp", "cgan"):
        assert schedule.values_at(recipe.load(name), 0) == schedule.values_at(recipe.load(name), 1)
