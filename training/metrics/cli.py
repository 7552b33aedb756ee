"""The command `imagemill evaluate`. Tensors are imported inside, so that `--help` is quick."""

from pathlib import Path
from typing import Annotated

import typer

from training.console import check_writable, console, count_in, exit_on_interrupt, progress, report_errors


def evaluate(
    checkpoint: Annotated[
        str,
        typer.Argument(help="A checkpoint (.safetensors), the name of a shipped model, or a folder or zip of images."),
    ],
    dataset: Annotated[Path, typer.Argument(help="Its training data, made by `imagemill dataset`.")],
    n: Annotated[int, typer.Option(min=6, help="Number of samples to measure.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, max=2**53 - 1, help="Images 0 to n - 1 of this seed are measured.")] = 0,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1; default: a GPU where there is one.")] = None,
    json: Annotated[
        Path | None, typer.Option(help="Also write the figures to this file, as JSON."), "overwrites with --force"
    ] = None,
    force: Annotated[  # noqa: ARG001
        bool, typer.Option("--force", help="Replace the file of --json if it exists."), "needs --json"
    ] = False,
    card: Annotated[
        bool, typer.Option("--card", help="Write the figures into the card next to the checkpoint.")
    ] = False,
    fid_weights: Annotated[Path | None, typer.Option(help="Measure FID with these Inception weights.")] = None,
) -> None:
    """Measure a model's samples against the data, next to the same figures of real images."""
    with report_errors(), exit_on_interrupt("stopped; nothing was measured"):
        from training import run_plan
        from training.metrics import evaluation, report

        subject = evaluation.Subject(evaluation.find(checkpoint), dataset, n, seed)
        if json:
            check_writable(json, subject.source)
        if card:
            check_writable(evaluation.card_path(subject.source))
        where = run_plan.find_device(device)
        with progress("images") as bar:
            made = evaluation.run(subject, where, fid_weights, lambda name, total: count_in(bar, name, total))
        console.print(report.table(made))
        for line in report.lines(made):
            console.print(line, markup=False)
        if json:
            report.write(json, made)
        if card:
            evaluation.write_card(subject.source, made)
