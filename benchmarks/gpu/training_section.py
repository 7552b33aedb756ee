"""Training: images/s of a plain loop and of `imagemill train`, by recipe and batch size."""

from collections.abc import Callable

from torch.profiler import ProfilerActivity, profile

from benchmarks import throughput
from benchmarks.gpu.results import Results
from benchmarks.gpu.section import Deadline, Options
from benchmarks.gpu.timing import wait
from training import run_plan
from training.run_plan import Changes, RunPlan

_LEAST_SECONDS = 10
_PROFILED_STEPS = 5
_PROFILE_ROWS = 30
_ENDLESS_IMAGES = 50_000_000
_RECIPES, _SMALL_RECIPES = (("dcgan", 128), ("flagship", 64)), (("dcgan", 8), ("flagship", 8))
_OWN_ONLY = ("dcgan", 256), ("flagship", 256), ("residual", 64), ("wgan-gp", 64)
"""Recipes and batch sizes, and those that the plain loop does not train."""
_SMALL = ("generator_channels=8", "discriminator_channels=8")


def measure(options: Options, results: Results, deadline: Deadline) -> None:
    """Measure the recipes, the most important ones first."""
    for name, batch in options.pick(_SMALL_RECIPES, _RECIPES):
        _measure(options, results, deadline, name, batch, "ours", throughput.ours)
        _measure(options, results, deadline, name, batch, "plain loop", throughput.plain)
    for name, batch in options.pick((), _OWN_ONLY):
        _measure(options, results, deadline, name, batch, "ours", throughput.ours)
    if options.device.type == "cuda" and deadline.left() > _LEAST_SECONDS:
        with results.attempt("profile"):
            _profile(options, results)


def _plan(options: Options, name: str, batch: int) -> RunPlan:
    values = ("guard=false", f"batch={batch}", *options.pick(_SMALL, ()))
    changes = Changes(images=_ENDLESS_IMAGES, values=values)
    return run_plan.plan_new_run(options.dataset, name, changes, 0, options.device, "bench")


def _measure(
    options: Options,
    results: Results,
    deadline: Deadline,
    name: str,
    batch: int,
    loop: str,
    start: Callable[[RunPlan], throughput.TakeSteps],
) -> None:
    details = {"recipe": name, "batch": batch, "loop": loop}
    if deadline.left() < _LEAST_SECONDS and not options.is_small:
        results.add("images/s were left out", f"{deadline.left():.0f} s were left", **details)
        return
    with results.attempt("images/s", **details):
        plan = _plan(options, name, batch)
        take = start(plan)
        rates = sorted(throughput.measure(take, plan, options.pick(0.05, 1.5)) for _ in range(options.pick(1, 3)))
        results.add("images/s", round(rates[len(rates) // 2]), **details, least=round(rates[0]), most=round(rates[-1]))


def _profile(options: Options, results: Results) -> None:
    """Count the kernels of a flagship step, and add up their times."""
    take = throughput.ours(_plan(options, "flagship", 64))
    take(20)
    wait(options.device)
    with profile(activities=[ProfilerActivity.CUDA]) as found:
        take(_PROFILED_STEPS)
        wait(options.device)
    rows = [event for event in found.key_averages() if event.self_device_time_total]
    count = sum(event.count for event in rows) / _PROFILED_STEPS
    total = sum(event.self_device_time_total for event in rows) / _PROFILED_STEPS / 1e3
    results.add("flagship step, kernels and their ms", [round(count), round(total, 3)])
    slowest = sorted(rows, key=lambda event: -event.self_device_time_total)[:_PROFILE_ROWS]
    shown = [
        (event.key[:70], round(event.count / _PROFILED_STEPS), round(event.self_device_time_total / _PROFILED_STEPS))
        for event in slowest
    ]
    results.add("flagship step, slowest kernels: name, calls, us", shown)
