import pytest

from training import recipe
from training.errors import RecipeError


def test_dcgan_holds_the_sources_values() -> None:
    dcgan = recipe.load("dcgan")
    assert (dcgan.latent_dim, dcgan.generator_channels, dcgan.discriminator_channels) == (100, 64, 64)
    assert (dcgan.batch, dcgan.epochs) == (128, 25)
    assert (dcgan.generator_lr, dcgan.discriminator_lr, dcgan.betas) == (2e-4, 2e-4, (0.5, 0.999))


def test_wgan_holds_the_sources_values() -> None:
    wgan = recipe.load("wgan")
    assert (wgan.objective, wgan.optimiser, wgan.clip, wgan.discriminator_steps) == ("wasserstein", "rmsprop", 0.01, 5)
    assert (wgan.generator_lr, wgan.discriminator_lr, wgan.batch, wgan.epochs) == (5e-5, 5e-5, 64, 25)
    assert wgan.discriminator_norm


def test_wgan_gp_holds_the_sources_values() -> None:
    wgan = recipe.load("wgan-gp")
    assert (wgan.objective, wgan.gradient_penalty, wgan.discriminator_steps) == ("wasserstein", 10, 5)
    assert (wgan.optimiser, wgan.generator_lr, wgan.betas) == ("adam", 1e-4, (0.0, 0.9))
    assert (wgan.batch, wgan.epochs, wgan.discriminator_norm) == (64, 25, False)


def test_cgan_is_dcgan_that_needs_labels() -> None:
    assert recipe.load("cgan") == recipe.load("dcgan").model_copy(update={"labels": "need"})
    assert recipe.load("dcgan").labels == "ignore"


@pytest.mark.parametrize("name", recipe.names())
def test_every_recipe_that_ships_is_whole(name: str) -> None:
    assert recipe.load(name).latent_dim


@pytest.mark.parametrize("budget", [{"minutes": 20.0}, {"images": 5000}, {"epochs": 2.5}])
def test_a_budget_takes_the_place_of_the_recipe_s(budget: dict[str, float]) -> None:
    found = recipe.load("dcgan", budget=budget)
    assert {"minutes": found.minutes, "images": found.images, "epochs": found.epochs} == {
        "minutes": None,
        "images": None,
        "epochs": None,
    } | budget


def test_single_values_can_be_changed() -> None:
    changed = recipe.load("dcgan", {"batch": "32", "betas": "[0.0, 0.9]", "mirror": "false"})
    assert (changed.batch, changed.betas, changed.mirror) == (32, (0.0, 0.9), False)
    assert changed.model_copy(update={"batch": 128, "betas": (0.5, 0.999), "mirror": True}) == recipe.load("dcgan")


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("mirror", "False", False),
        ("mirror", "false", False),
        ("augment", ".5", 0.5),
        ("betas", "[.5, .9]", (0.5, 0.9)),
        ("objective", "relativistic", "relativistic"),
        ("objective", '"relativistic"', "relativistic"),
        ("batch", "1_000", 1000),
    ],
)
def test_a_value_may_be_written_as_people_write_it(key: str, text: str, value: object) -> None:
    assert getattr(recipe.load("dcgan", {key: text}), key) == value


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"bacth": "32"}, "bacth: not a value of a recipe; did you mean batch"),
        ({"lr": "1"}, "lr: not a value of a recipe; did you mean discriminator_lr or final_lr or generator_lr"),
        ({"zzz": "1"}, "zzz: not a value of a recipe; there are: architecture, augment"),
        ({"batch": "="}, "batch: '=' is not a number, a word, true, false or a list of them"),
        ({"batch": "0"}, "batch: Input should be greater than or equal to 2, got 0"),
        ({"objective": "wgan"}, "objective: Input should be 'bce'"),
        ({"objective": "'wgan'"}, "objective: Input should be 'bce'"),
        ({"generator_lr": "-1e-4"}, "generator_lr"),
        (
            {"minutes": "20"},
            "a recipe has exactly one budget of epochs, images, minutes; this one has epochs and minutes",
        ),
        ({"gradient_penalty": "10"}, "gradient_penalty and gamma are per image: they need discriminator_norm = false"),
        ({"gradient_penalty": "10", "gamma": "1"}, "gradient_penalty and gamma are two kinds of penalty"),
        ({"patience": "0.2", "guard": "false"}, "guard = false measures none"),
        ({"ema_half_life_images": "inf"}, "ema_half_life_images: Input should be a finite number"),
        ({"objective": "'wasserstein'", "label_smoothing": "0.1"}, "label_smoothing and label_flips are for .* bce"),
    ],
)
def test_a_bad_change_is_refused(overrides: dict[str, str], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        recipe.load("dcgan", overrides)


def test_an_unknown_recipe_is_refused_with_the_ones_there_are() -> None:
    with pytest.raises(RecipeError, match=r"no recipe '\.\./dcgan'; there are: cgan, dcgan"):
        recipe.load("../dcgan")
