"""What a run would be: its recipe, its networks and how long it takes, without training."""

import json
import time
from pathlib import Path

from torch import nn

from training.loop import Run
from training.parallel import Place
from training.plan import Plan

_LEAST_STEPS = 3


def of(plan: Plan, folder: Path | None, place: Place) -> str:
    """Resolve a plan, time a few steps of it and tell what is left to do; nothing is written."""
    run = Run(plan, folder, place)
    left = 1 - run.progress
    run.rehearse()
    steps = max(_LEAST_STEPS, plan.recipe.penalty_every_steps)
    started = time.monotonic()
    for _ in range(steps):
        run.rehearse()
    seconds = (time.monotonic() - started) / steps
    values = plan.recipe.model_dump(mode="json", exclude_none=True)
    recipe = "\n".join(f"{key} = {json.dumps(value)}" for key, value in values.items())
    return f"{recipe}\n\n{_networks(run)}\n{_budget(run, left, seconds)}"


def _networks(run: Run) -> str:
    sizes = {name: _millions(network) for name, network in run.networks.items()}
    return ", ".join(f"{name}: {size:.2f} million weights" for name, size in sizes.items())


def _budget(run: Run, left: float, seconds_per_step: float) -> str:
    rate = run.images_per_step / seconds_per_step
    if run.budget.steps is None:
        wanted = left * (run.budget.seconds or 0)
        steps = int(wanted / seconds_per_step)
    else:
        steps = round(left * run.budget.steps)
        wanted = steps * seconds_per_step
    images = steps * run.images_per_step
    return (
        f"about {steps:,} steps, {images:,} images seen ({images / run.plan.dataset.description.count:.1f} epochs), "
        f"{_duration(wanted)} at {rate:.0f} images/s on {run.plan.device}"
    )


def _duration(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{seconds:.0f} s"


def _millions(network: nn.Module) -> float:
    return sum(weights.numel() for weights in network.parameters()) / 1e6
