"""The first position of a run: new, with initial weights, or resumed, perhaps with another budget."""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from training import budget, initial_weights, state
from training.budget import Budget
from training.networks import Networks
from training.run_plan import STATE, RunPlan
from training.state import Position


@dataclass(frozen=True)
class RunStart:
    """The position at which a run starts."""

    position: Position
    sums: Tensor | None = None
    """Running sums of the current epoch. Shapes: (6,)."""
    notice: str = ""
    """A sentence to print, or an empty string."""


def open_run(plan: RunPlan, folder: Path | None, networks: Networks, whole: Budget) -> RunStart:
    """Resume the run in `folder`, or start a new one. Raises StateError for a state that does not fit."""
    if folder and (folder / STATE).exists():
        position, sums = state.restore(folder / STATE, networks)
        if position.recipe == plan.recipe:
            return RunStart(position, sums)
        position_now = _with_new_budget(position, plan, whole.progress(position.step, position.seconds))
        return RunStart(position_now, sums, position_now.events[-1])
    data = plan.dataset.description
    position = Position(
        name=plan.name,
        recipe_name=plan.recipe_name,
        recipe=plan.recipe,
        dataset_sha256=data.sha256,
        seed=plan.seed,
        classes=data.classes,
    )
    if plan.begin_from is None:
        return RunStart(position)
    found = initial_weights.load(plan.begin_from)
    notice = initial_weights.load_into(found, networks, plan.recipe, data.classes)
    return RunStart(position.model_copy(update={"begun_from": found.origin}), notice=notice)


def _with_new_budget(position: Position, plan: RunPlan, spent: float) -> Position:
    """Move a position to the budget of its plan. `spent` is the spent share of the new budget.

    Scheduled values such as learning rates continue from that share.
    """
    before, after = budget.describe(position.recipe), budget.describe(plan.recipe)
    event = (
        f"step {position.step}: the budget is {after} instead of {before}, of which {spent:.0%} is spent; "
        f"learning rates and other scheduled values continue from there"
    )
    # Patience counts in shares of the budget, which now mean other numbers of steps.
    best = position.best and position.best.model_copy(
        update={"progress": spent * position.best.step / max(1, position.step)}
    )
    return position.model_copy(
        update={
            "recipe": plan.recipe,
            "best": best,
            "earlier_budgets": (*position.earlier_budgets, f"{before} until step {position.step}"),
            "events": (*position.events, event),
        }
    )
