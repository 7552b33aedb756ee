import pytest

from training import recipe
from training.errors import RecipeError


def test_dcgan_holds_the_sources_values() -> None:
    dcgan = recipe.load("dcgan")
    assert (dcgan.latent_dim, dcgan.generator_channels, dcgan.discriminator_channels) == (100, 64, 64)
    assert (dcgan.batch, dcgan.epochs) == (128, 25)
    assert (dcgan.generator_lr, dcgan.discriminator_lr, dcgan.betas) == (2e-4, 2e-4, (0.5, 0.999))


def test_single_values_can_be_changed() -> None:
    changed = recipe.load("dcgan", {"batch": "32", "betas": "[0.0, 0.9]", "mirror": "false"})
    assert (changed.batch, changed.betas, changed.mirror) == (32, (0.0, 0.9), False)
    assert changed.model_copy(update={"batch": 128, "betas": (0.5, 0.999), "mirror": True}) == recipe.load("dcgan")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"bacth": "32"}, "bacth: Extra inputs are not permitted"),
        ({"batch": "0"}, "batch: Input should be greater than or equal to 2, got 0"),
        ({"objective": "wgan"}, "'wgan' is not a TOML value"),
        ({"objective": "'wgan'"}, "objective: Input should be 'bce'"),
        ({"generator_lr": "-1e-4"}, "generator_lr"),
    ],
)
def test_a_bad_change_is_refused(overrides: dict[str, str], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        recipe.load("dcgan", overrides)


def test_an_unknown_recipe_is_refused_with_the_ones_there_are() -> None:
    with pytest.raises(RecipeError, match=r"no recipe '\.\./dcgan'; there are: dcgan"):
        recipe.load("../dcgan")
