"""The command `imagemill prove`. Tensors are imported inside, so that `--help` is quick."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from training.console import check_writable, console, count_in, exit_on_interrupt, progress, report_errors
from training.errors import UsageError

_Judge = Literal["probe", "cnn", "both"]
_Reals = Literal["held-out", "training"]


def prove(
    checkpoint: Annotated[
        str,
        typer.Argument(help="A checkpoint (.safetensors), the name of a shipped model, or a folder or zip of images."),
    ],
    dataset: Annotated[Path, typer.Argument(help="Real images, from `imagemill dataset --hold-out`.")],
    per_class: Annotated[
        str, typer.Option(metavar="K,K,...", help="Numbers of real images per class.")
    ] = "5,10,25,50,100,200",
    synthetic: Annotated[
        int | None,
        typer.Option(min=1, max=100_000, help="Synthetic images per class; default: 500, at most 4000 in all."),
    ] = None,
    repeats: Annotated[int, typer.Option(min=2, max=20, help="Number of draws of the real images.")] = 5,
    judge: Annotated[
        _Judge, typer.Option(help="The classifier: linear on pretrained features, a network from scratch, or both.")
    ] = "both",
    reals: Annotated[
        _Reals, typer.Option(help="Draw the real images to train on from this part; tests are always held out.")
    ] = "held-out",
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the synthetic images and of the draws.")] = 0,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1; default: a GPU where there is one.")] = None,
    made_by: Annotated[
        str | None, typer.Option(metavar="CHECKPOINT", help="The checkpoint that made a folder or zip of images.")
    ] = None,
    trained_on: Annotated[
        Path | None, typer.Option(metavar="DATASET", help="The generator's dataset, if it is another one.")
    ] = None,
    overlap: Annotated[
        bool, typer.Option("--overlap", help="Measure although the generator may have seen the test images.")
    ] = False,
    json: Annotated[
        Path | None, typer.Option(help="Also write the figures to this file, as JSON."), "overwrites with --force"
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Also draw the accuracies to this PNG."), "overwrites with --force"
    ] = None,
    force: Annotated[  # noqa: ARG001
        bool, typer.Option("--force", help="Replace the files of --json and --plot."), "needs --json, --plot"
    ] = False,
) -> None:
    """Test whether a model's images help a classifier, on real images that the model has not seen."""
    with report_errors(), exit_on_interrupt("stopped; nothing was written"):
        from models import atomic_file
        from training import run_plan
        from training.prove import plot as plots
        from training.prove import proof, report, sizes
        from training.prove import source as sources

        source = sources.find(checkpoint, made_by)
        _check_outputs(source.path, json, plot)
        numbers = sizes.parse(per_class)
        question = proof.Question(source, dataset, trained_on, numbers, synthetic, repeats, judge, reals, seed, overlap)
        where = run_plan.find_device(device)
        with progress("") as bar:
            made = proof.run(question, where, lambda name, total: count_in(bar, name, total, shows_count=True))
        console.print(report.title(made), markup=False)
        for finding in made.findings:
            console.print(f"\n{report.subtitle(finding)}", markup=False)
            console.print(report.table(finding))
        console.print()
        for line in [*report.lines(made), "", *(x for f in made.findings for x in report.verdict_lines(f))]:
            console.print(line, markup=False)
        if json:
            report.write(json, made)
        if plot:
            atomic_file.write(plot, plots.draw(made))


def _check_outputs(source: Path, json: Path | None, plot: Path | None) -> None:
    """Check early that the files can be written. Raises OSError, OutputError or UsageError."""
    if json and plot and json.resolve() == plot.resolve():
        raise UsageError(f"--json and --plot both name {json}; choose two files")
    if plot and plot.suffix.lower() != ".png":
        raise UsageError(f"--plot writes a PNG file, so its name must end with .png, got {plot}")
    for path in filter(None, (json, plot)):
        check_writable(path, source)
