"""The command `imagemill train`. Tensors are imported inside, so that `--help` is quick."""

import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from training.console import (
    console,
    measuring_bar,
    notes,
    progress,
    report_errors,
    stop_on_signal,
    train_with_progress_bar,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from training.listener import Ending
    from training.loop import Run
    from training.run_plan import RunPlan

_RECIPE = "flagship"


def train(
    data: Annotated[Path, typer.Argument(help="A dataset made by `imagemill dataset`.")],
    recipe: Annotated[str | None, typer.Option(help="Name of the recipe; default: flagship.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the model; default: data and size.")] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Budget: minutes of training."), "not with --images, --epochs"
    ] = None,
    images: Annotated[
        int | None, typer.Option(min=1, help="Budget: number of images seen in all."), "not with --epochs"
    ] = None,
    epochs: Annotated[float | None, typer.Option(min=0.001, help="Budget: number of times each image is seen.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="Default: 0.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1; default: a GPU where there is one.")] = None,
    devices: Annotated[int, typer.Option(min=1, help="Number of GPUs, or of CPU processes, to train on.")] = 1,
    runs: Annotated[Path, typer.Option(help="Folder in which numbered run folders are created.")] = Path("runs"),
    resume: Annotated[
        Path | None,
        typer.Option(help="Continue the run in this folder, with its budget or a larger one."),
        "only with --device, --devices, --dry-run, --images, --minutes, --epochs",
    ] = None,
    begin: Annotated[
        Path | None, typer.Option("--from", help="Begin with the networks of a run folder, a checkpoint or faces-64.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the recipe and the estimated time, without training.")
    ] = False,
    change: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe.")] = None,
) -> None:
    """Train a model. Ctrl-C stops at the next step and leaves a run that `--resume` continues exactly."""
    from models import atomic_file
    from training import estimate, initial_weights, parallel, record, run_lock
    from training import run_plan as plans
    from training.loop import Run
    from training.memory_errors import explain_device_errors

    changes = plans.Changes(epochs, images, minutes, tuple(change or ()))

    def planned(own: "torch.device", hold: "Callable[[Path], None] | None" = None) -> "RunPlan":
        if resume is None:
            atomic_file.check_folder(runs)
            beginning_at = initial_weights.find(begin) if begin else None
            return plans.plan_new_run(data, recipe or _RECIPE, changes, seed or 0, own, name, beginning_at)
        plans.check_run(resume)
        if hold and not dry_run:
            hold(resume)
        return plans.plan_resumed_run(data, resume, own, changes.budget)

    if devices > 1 and not parallel.is_launched():
        raise typer.Exit(_launched(devices, device, planned))
    with (
        report_errors(),
        stop_on_signal() as stop,
        parallel.join(plans.find_device(parallel.device_of_process(device))) as joined,
        ExitStack() as held,
    ):
        process, own = joined

        def hold(folder: Path) -> None:
            if warning := held.enter_context(run_lock.hold(folder)) if process.is_leader else "":
                notes.print(warning, markup=False)

        plan = planned(own, hold)
        if dry_run:
            estimated = estimate.describe_run(plan, resume, process)
            if process.is_leader:
                console.print(estimated, markup=False)
            parallel.exit_process(process)
            return
        with explain_device_errors(plan, resume):
            run = Run(plan, resume, process)
            if process.is_leader and run.trainer.notice:
                console.print(run.trainer.notice, markup=False)
            with measuring_bar(plan.dataset.description.count, stop, quiet=not process.is_leader) as measured:
                if run.progress < 1:
                    run.measure_reals(measured)
        if resume is None:
            run.use_folder(process.broadcast_path(lambda: record.create_folder(runs, plan.recipe_name, plan.name)))
            hold(run.folder)
        with explain_device_errors(plan, run.folder):
            ending = (
                train_with_progress_bar(run, stop, quiet=not process.is_leader)
                if run.progress < 1
                else _already_finished(run, data)
            )
        if process.is_leader and ending.outcome != "stopped" and run.checkpoint.exists():
            _write_sliders(run, plan, stop)
    status = _report(ending, run, data, process.world_size) if process.is_leader else 0
    parallel.exit_process(process, status)
    raise typer.Exit(status)


def _launched(devices: int, device: str | None, planned: "Callable[[torch.device], RunPlan]") -> int:
    """Run this command once per device, after a check of the plan. Returns the exit status."""
    import torch

    from training import launch

    with report_errors():  # once, and not once for each process
        launch.check(devices, device)
        planned(torch.device("cpu"))
    return launch.launch(devices, sys.argv[1:])


def _write_sliders(run: "Run", plan: "RunPlan", stop: "Callable[[], bool]") -> None:
    """Write the sliders of the checkpoint that the run ships, unless they are there already. A stop leaves them out."""
    from models.sliders import sliders_path
    from training.sliders.sliders_file import write_sliders

    path = sliders_path(run.checkpoint)
    if path.exists() and path.stat().st_mtime_ns >= run.checkpoint.stat().st_mtime_ns:
        return
    with progress("images") as bar, suppress(KeyboardInterrupt):
        task = bar.add_task("sliders", total=None, rate="")

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)
            if stop():
                raise KeyboardInterrupt

        write_sliders(run.checkpoint, plan.device, show)


def _already_finished(run: "Run", data: Path) -> "Ending":
    from training import budget
    from training.listener import Ending

    seen = run.step * run.images_per_step
    return Ending(
        "finished",
        f"this run has spent its budget of {budget.describe(run.plan.recipe)}: {seen:,} images seen. To go on: "
        f"imagemill train {data} --resume {run.folder} --images {2 * seen} (or --minutes, --epochs), which sets the "
        f"schedule to that share of the larger budget; or begin a new run with --from {run.folder}",
    )


def _report(ending: "Ending", run: "Run", data: Path, processes: int) -> int:
    """Print how a run ended. Returns the exit status: 0 for success."""
    if ending.outcome == "stopped":
        devices = f" --devices {processes}" if processes > 1 else ""
        notes.print(f"stopped; continue with: imagemill train {data} --resume {run.folder}{devices}", markup=False)
        return 130
    if ending.reason:
        notes.print(f"{ending.outcome}: {ending.reason}", markup=False)
    if run.checkpoint.exists():
        console.print(f"checkpoint: {run.checkpoint}", markup=False)
    return 1 if ending.outcome == "gave up" else 0
