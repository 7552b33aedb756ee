"""The command `imagemill gate`. Tensors are imported inside, so that `--help` is quick."""

from pathlib import Path
from typing import Annotated

import typer

from training.console import check_writable, console, count_in, exit_on_interrupt, progress, report_errors
from training.errors import UsageError

_STEPS = 2000


def gate(
    checkpoint: Annotated[
        str, typer.Argument(help="A checkpoint (.safetensors), or the name of a model that is shipped.")
    ],
    dataset: Annotated[Path, typer.Argument(help="Its training data, made by `imagemill dataset`.")],
    images: Annotated[int, typer.Option(min=64, help="Number of the model's images to learn from.")] = 8000,
    steps: Annotated[int | None, typer.Option(min=1, help=f"Steps of training; default: {_STEPS:,}.")] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Minutes of training, instead of steps."), "not with --steps"
    ] = None,
    n: Annotated[int, typer.Option(min=24, help="Number of images to measure at each keep share.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, max=2**53 - 1, help="Seed of images and training.")] = 0,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1; default: a GPU where there is one.")] = None,
    vgg19: Annotated[
        Path | None, typer.Option(help="Judge with this file of VGG19's weights (.safetensors), too.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(help="Also write the figures to this file, as JSON."), "overwrites with --force"
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the gate and the file of --json.")] = False,
) -> None:
    """Train a quality gate for a model: a small network that ranks its images by how real they are."""
    with report_errors(), exit_on_interrupt("stopped; nothing was written"):
        from models import registry
        from models.quality_gate import gate_path, save_gate
        from training import run_plan
        from training.budget import Budget
        from training.gate import builder, report

        source = registry.find(checkpoint)
        path = gate_path(source)
        check_writable(path, source)
        if path.exists() and not force:
            raise UsageError(f"{path} exists already; give --force to replace it")
        if json:
            check_writable(json, source, path)
        budget = Budget(seconds=60 * minutes) if minutes else Budget(steps=steps or _STEPS)
        where = run_plan.find_device(device)
        plan = builder.GatePlan(source, dataset, images, budget, seed, where, n, vgg19)
        with progress("") as bar:
            made = builder.build(plan, lambda name, total: count_in(bar, name, total))
        save_gate(path, made)
        if json:
            report.write(json, made.header)
        for table in report.tables(made.header):
            console.print(table)
        for line in (*report.lines(made.header), f"{path}: {path.stat().st_size / 1e3:.0f} kB"):
            console.print(line, markup=False)
