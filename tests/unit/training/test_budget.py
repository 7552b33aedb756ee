import pytest

from training import budget, recipe
from training.budget import Budget


def of(**values: float) -> Budget:
    return budget.of_recipe(recipe.load("dcgan", budget=values), images=100, batch=8)


def test_epochs_and_images_become_whole_steps() -> None:
    assert of(images=33).steps == 5
    assert of(epochs=2).steps == 25
    assert of(epochs=0.001).steps == 1


def test_minutes_are_spent_by_the_clock() -> None:
    assert of(minutes=2).progress(step=10**6, seconds=30) == pytest.approx(0.25)
    assert of(minutes=2).progress(step=0, seconds=500) == 1


def test_steps_are_spent_whatever_the_clock_says() -> None:
    assert of(images=80).progress(step=5, seconds=10**6) == pytest.approx(0.5)
