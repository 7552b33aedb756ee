"""Estimates a run without training: its recipe, its networks and its duration."""

import json
import time
from pathlib import Path

from torch import nn

from models.cuda_graph import CALLS_UNTIL_RECORDED
from training import evaluator
from training.evaluator import Cost
from training.loop import Run
from training.parallel import ProcessRank
from training.run_plan import RunPlan

_LEAST_STEPS, _GPU_STEPS = 3, 48
"""Least number of timed steps. A GPU's steps are short, and must be many."""
_PUBLISHING_SECONDS = 1.0
"""Cost per check of writing the checkpoint, its pictures and its card."""


def describe_run(plan: RunPlan, folder: Path | None, process: ProcessRank) -> str:
    """Build the run of a plan, time a few steps and describe the remaining work. Writes no file."""
    run = Run(plan, folder, process)
    left = 1 - run.progress
    # A lazy penalty is computed once in so many steps, so the sample must include one.
    period, is_gpu = plan.recipe.penalty_every_steps, plan.device.type == "cuda"
    steps = max(_GPU_STEPS if is_gpu else _LEAST_STEPS, period)
    run.take_unsaved_steps(CALLS_UNTIL_RECORDED * period if is_gpu else 1)
    started = time.monotonic()
    run.take_unsaved_steps(steps)
    seconds = (time.monotonic() - started) / steps
    values = plan.recipe.model_dump(mode="json", exclude_none=True)
    recipe = "\n".join(f"{key} = {json.dumps(value)}" for key, value in values.items())
    text = f"{recipe}\n\n{_networks(run)}\n{_budget(run, left, seconds)}"
    return f"{text}\n{_checks(run, evaluator.estimate_cost(plan), left, seconds)}" if process.is_leader else text


def _networks(run: Run) -> str:
    networks = run.trainer.networks
    parts = {"generator": networks.generator, "discriminator": networks.discriminator}
    sizes = {name: _millions(network) for name, network in parts.items()}
    return ", ".join(f"{name}: {size:.2f} million weights" for name, size in sizes.items())


def _budget(run: Run, left: float, seconds_per_step: float) -> str:
    rate = run.images_per_step / seconds_per_step
    steps, wanted = _remaining(run, left, seconds_per_step)
    images = steps * run.images_per_step
    return (
        f"about {steps:,} steps, {images:,} images seen ({images / run.plan.dataset.description.count:.1f} epochs), "
        f"{_duration(wanted)} at {rate:.0f} images/s on {run.plan.device}"
    )


def _remaining(run: Run, left: float, seconds_per_step: float) -> tuple[int, float]:
    """Return the remaining steps and their seconds."""
    if run.trainer.budget.steps is None:
        wanted = left * (run.trainer.budget.seconds or 0)
        return int(wanted / seconds_per_step), wanted
    steps = round(left * run.trainer.budget.steps)
    return steps, steps * seconds_per_step


def _checks(run: Run, cost: Cost, left: float, seconds_per_step: float) -> str:
    """Describe the cost of measuring. A budget in minutes includes all checks but the last."""
    steps, wanted = _remaining(run, left, seconds_per_step)
    # The last check is always at the end, due or not.
    checks = (run.step + steps - 1) // run.check_every_steps - run.step // run.check_every_steps + 1
    per_check = cost.check + _PUBLISHING_SECONDS
    of_checks, covered = checks * per_check, max(0, checks - 1) * per_check if run.trainer.budget.steps is None else 0.0
    whole = cost.reals + wanted + of_checks - covered
    return (
        f"measuring the data: {_duration(cost.reals)}; checks, one every {run.check_every_steps:,} steps: {checks}, "
        f"{_duration(of_checks)}; in all about {_duration(whole)}"
    )


def _duration(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{seconds:.0f} s"


def _millions(network: nn.Module) -> float:
    return sum(weights.numel() for weights in network.parameters()) / 1e6
