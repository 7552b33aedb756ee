from pathlib import Path

import pytest
import torch

from training import run_plan as plans
from training.errors import RecipeError
from training.run_plan import Changes

CPU = torch.device("cpu")


def test_two_budgets_are_refused(data: Path) -> None:
    with pytest.raises(RecipeError, match="a budget is given in epochs or images, not in both"):
        plans.plan_new_run(data, "dcgan", Changes(epochs=1, images=100), 0, CPU, None)


def test_a_budget_beside_one_among_the_changes_is_refused(data: Path) -> None:
    with pytest.raises(RecipeError, match="a budget is given twice: --set images and --minutes"):
        plans.plan_new_run(data, "dcgan", Changes(minutes=1, values=("images=100",)), 0, CPU, None)


def test_blanks_around_a_change_do_not_count(data: Path) -> None:
    assert plans.plan_new_run(data, "dcgan", Changes(values=("batch = 8",)), 0, CPU, None).recipe.batch == 8


def test_a_name_that_no_url_could_carry_is_refused_before_training(data: Path) -> None:
    with pytest.raises(RecipeError, match="a model's name must match"):
        plans.plan_new_run(data, "dcgan", Changes(), 0, CPU, "My Faces!")


def test_a_name_that_a_worker_takes_for_a_gate_is_refused_before_training(data: Path) -> None:
    with pytest.raises(RecipeError, match=r"must not end with \.gate, because"):
        plans.plan_new_run(data, "dcgan", Changes(), 0, CPU, "cats.gate")
    assert plans.plan_new_run(data, "dcgan", Changes(), 0, CPU, "cats.gate-64").name == "cats.gate-64"


def test_a_recipe_that_needs_labels_is_refused_without(unlabelled: Path) -> None:
    with pytest.raises(RecipeError, match="this recipe needs classes, and pets has none"):
        plans.plan_new_run(unlabelled, "cgan", Changes(), 0, CPU, None)
