"""The command `imagemill evaluate`. Tensors are imported inside, so that `--help` is quick."""

from pathlib import Path
from typing import Annotated

import typer

from training.console import check_writable, console, count_in, exit_on_interrupt, progress, report_errors
from training.errors import UsageError

_CHECKPOINT_SAMPLES = 10_000


def evaluate(
    checkpoint: Annotated[
        str | None,
        typer.Argument(
            help="A checkpoint (.safetensors), the name of a shipped model, or images. Left out with --archive.",
            show_default=False,
        ),
    ] = None,
    dataset: Annotated[
        Path | None, typer.Argument(help="Its training data, made by `imagemill dataset`.", show_default=False)
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option(help="Measure this download, or a folder of images, in the place of a checkpoint, in detail."),
    ] = None,
    n: Annotated[
        int | None, typer.Option(min=6, help="Number of images to measure; default: 10000, of an archive 100000.")
    ] = None,
    seed: Annotated[
        int,
        typer.Option(min=0, max=2**53 - 1, help="Images 0 to n - 1 of this seed are measured."),
        "not with --archive",
    ] = 0,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1; default: a GPU where there is one.")] = None,
    json: Annotated[
        Path | None, typer.Option(help="Also write the figures to this file, as JSON."), "overwrites with --force"
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(help="Also write a report with pictures to this file, as one HTML page."),
        "needs --archive",
        "overwrites with --force",
    ] = None,
    force: Annotated[  # noqa: ARG001
        bool, typer.Option("--force", help="Replace the files of --json and --html."), "needs --json, --html"
    ] = False,
    card: Annotated[
        bool,
        typer.Option("--card", help="Write the figures into the card next to the checkpoint."),
        "not with --archive",
    ] = False,
    fid_weights: Annotated[Path | None, typer.Option(help="Measure FID with these Inception weights.")] = None,
) -> None:
    """Measure a model's samples, or a download, against the data, next to the same figures of real images."""
    with report_errors(), exit_on_interrupt("stopped; nothing was measured"):
        if archive and dataset:
            raise UsageError(f"--archive {archive} takes the place of {checkpoint}; leave one of them out")
        if archive and checkpoint:
            _audit(archive, Path(checkpoint), n, device, json, html, fid_weights)
        elif checkpoint and dataset:
            _evaluate(checkpoint, dataset, n or _CHECKPOINT_SAMPLES, seed, device, json, card, fid_weights)
        else:
            raise UsageError("name a checkpoint and its dataset, or --archive and the dataset")


def _evaluate(
    checkpoint: str,
    dataset: Path,
    n: int,
    seed: int,
    device: str | None,
    json: Path | None,
    card: bool,
    fid_weights: Path | None,
) -> None:
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


def _audit(
    archive: Path,
    dataset: Path,
    n: int | None,
    device: str | None,
    json: Path | None,
    html: Path | None,
    fid_weights: Path | None,
) -> None:
    from models import atomic_file
    from training import run_plan
    from training.audit import audit, page
    from training.audit import report as audit_report
    from training.metrics import report

    if json and html and json.resolve() == html.resolve():
        raise UsageError(f"--json and --html both name {json}; choose two files")
    for path in filter(None, (json, html)):
        check_writable(path, archive)
    where = run_plan.find_device(device)
    with progress("") as bar:
        made = audit.run(
            archive, dataset, n, where, fid_weights, lambda name, total: count_in(bar, name, total, shows_count=True)
        )
    console.print(report.table(made.report))
    if made.report.classes:
        console.print()
        console.print(audit_report.class_table(made.report))
        console.print()
    for line in [*audit_report.lines(made.report), *report.lines(made.report)]:
        console.print(line, markup=False)
    if json:
        report.write(json, made.report)
    if html:
        atomic_file.write(html, page.render(made).encode())
