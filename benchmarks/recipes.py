"""`python -m benchmarks.recipes DATASET --minutes 20`: compares recipes with the same data, time and device."""

from pathlib import Path
from statistics import fmean
from typing import Annotated

import torch
import typer

from training import record
from training import run_plan as plans
from training.console import console, report_errors, stop_on_signal, train_with_progress_bar
from training.loop import Run
from training.metrics import evaluation
from training.metrics.evaluation import Subject
from training.metrics.report import Report
from training.run_plan import Changes

_FIGURES = ("fd", "kd", "precision", "recall", "coverage", "yield", "copies")


def main(
    data: Path,
    minutes: Annotated[float, typer.Option(help="For each run.")] = 20,
    recipe: Annotated[list[str], typer.Option(help="Which recipes; one option each.")] = ["dcgan", "flagship"],  # noqa: B006
    seeds: Annotated[int, typer.Option(help="How often each recipe is trained.")] = 1,
    first_seed: Annotated[int, typer.Option(help="To go on from: seeds are counted from here.")] = 0,
    n: Annotated[int, typer.Option(help="How many samples are measured.")] = 5000,
    runs: Annotated[Path, typer.Option(help="Where run folders are numbered.")] = Path("runs"),
    change: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change every recipe.")] = None,
) -> None:
    """Train each recipe for the same minutes, and print a Markdown table of the results."""
    changes = Changes(minutes=minutes, values=tuple(change or ()))
    head = ("recipe", "seed", "images seen", "images/s", *_FIGURES, "run")
    console.print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}", markup=False)
    with report_errors(), stop_on_signal() as stop:
        for name in recipe:
            for seed in range(first_seed, first_seed + seeds):
                device = plans.find_device(None)
                plan = plans.plan_new_run(data, name, changes, seed, device, f"{name}-{seed}")
                run = Run(plan, record.create_folder(runs, name, plan.name))
                ending = train_with_progress_bar(run, stop)
                if ending.outcome == "stopped":
                    raise typer.Exit(130)
                console.print(_row(name, seed, run, ending.outcome, _measured(run, data, n, device)), markup=False)


def _measured(run: Run, data: Path, n: int, device: torch.device) -> Report | None:
    if not run.checkpoint.exists():  # the run failed before the first checkpoint
        return None
    return evaluation.run(Subject(run.checkpoint, data, n, seed=0), device, None, lambda *_: lambda _: None)


def _row(name: str, seed: int, run: Run, outcome: str, report: Report | None) -> str:
    rates = [line.images_per_s for line in record.run_log.read(run.folder)]
    seen, rate = f"{run.step * run.images_per_step:,}", f"{fmean(rates):.0f}" if rates else "-"
    return f"| {' | '.join((name, str(seed), seen, rate, *_cells(report), outcome))} |"


def _cells(report: Report | None) -> list[str]:
    if report is None:
        return ["-"] * len(_FIGURES)
    extractor = report.provenance.extractor
    return [f"{report.figures[f'{figure}_{extractor}']:.3g}" for figure in _FIGURES]


if __name__ == "__main__":
    typer.run(main)
