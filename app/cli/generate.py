"""The command `imagemill generate`."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from app.cli.output_options import Force, OutputOptions, Quiet, Server
from app.cli.refusal import refuse_usage
from app.cli.terminal import DEFAULT_SERVER

_Format = Literal["png", "webp", "jpeg", "npz"]
_Layout = Literal["imagefolder", "parquet", "webdataset"]
_Copies = Literal["keep", "drop"]
_Mode = Literal["standard", "distilled"]


def generate(
    n: Annotated[int | None, typer.Option("-n", "--n", min=1, help="Number of images.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            help="Output file, or the folder of --split; - is standard output; default: a file in this folder, named "
            "after model, seed and n.",
        ),
    ] = None,
    force: Force = False,
    server: Server = DEFAULT_SERVER,
    model: Annotated[
        str | None, typer.Option(help="Name of the model; default: the default model of the service.")
    ] = None,
    class_label: Annotated[
        str | None, typer.Option("--class", help="Class of all images; default: all classes in turn.")
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(
            help="Classes with the number of images of each, like modern:100,early-20th:50 (then -n may be left out), "
            "or without, like modern,early-20th."
        ),
        "not with --class",
    ] = None,
    keep: Annotated[
        float | None,
        typer.Option(
            min=0.01, max=1, help="Share of the images that the quality gate of the model keeps, like 0.5; default: 1."
        ),
    ] = None,
    copies: Annotated[
        _Copies | None, typer.Option(help="With drop, leave out copies of training images; default: keep.")
    ] = None,
    distinct: Annotated[
        int | None,
        typer.Option(
            min=0, max=3, help="Leave out images whose hash differs from that of an earlier one in at most N bits."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed, which fixes the images; default: a random seed.")
    ] = None,
    start: Annotated[int | None, typer.Option(min=0, help="Index of the first image; default: 0.")] = None,
    kind: Annotated[_Format | None, typer.Option("--format", help="Image format; default: png.")] = None,
    layout: Annotated[
        _Layout | None, typer.Option(help="How the archive packs the images; default: imagefolder, a ZIP of files.")
    ] = None,
    around: Annotated[
        str | None,
        typer.Option(help="A point around which the images lie, like 'at=1:0&shift=brightness:1.2'."),
        "not with --keep, --copies, --distinct",
    ] = None,
    spread: Annotated[
        float | None,
        typer.Option(min=0.000001, max=1, help="How far the images lie from the point, from 0 to 1; default: 0.35."),
        "needs --around",
    ] = None,
    between: Annotated[
        str | None,
        typer.Option(
            help="A walk whose frames are the images, like 1:0,777:0 or 'at=1:0;at=777:0&shift=brightness:1.2'; with "
            "';loop' at the end, it goes back to the first point."
        ),
        "not with --class, --classes, --keep, --copies, --distinct, --seed, --start, --around, --truncation, --split",
    ] = None,
    truncation: Annotated[
        float | None,
        typer.Option(min=0, max=2, help="Factor of the latents; below 1, images are more alike; default: 1."),
        "not with --keep, --copies, --distinct",
    ] = None,
    style: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Image whose style the images take.")
    ] = None,
    mode: Annotated[
        _Mode | None,
        typer.Option("--style-mode", help="Optimise each image (standard, the default), or learn the style once."),
        "needs --style",
    ] = None,
    strength: Annotated[
        float | None,
        typer.Option("--style-strength", "--strength", min=0, max=1, help="Strength of the style; default: 1."),
        "needs --style",
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            "--style-steps",
            "--steps",
            min=1,
            max=10_000,
            help="Steps of the optimisation, or of the training of the style.",
        ),
        "needs --style",
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(
            help="A split and its number of images, like train=800; several may be given. Each becomes a file in the "
            "folder of -o, like train.zip. No two splits share an image."
        ),
        "not with --n, --job, --estimate",
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Label of the job: a-z, 0-9, '.', '_' and '-'. `imagemill jobs` finds it.")
    ] = None,
    ttl_hours: Annotated[
        int | None, typer.Option(min=1, help="Hours for which the service keeps the images; default: its limit.")
    ] = None,
    job: Annotated[
        str | None,
        typer.Option(help="Resume this job. Only output options can be combined with it."),
        "only with --out, --force, --json, --quiet, --server",
    ] = None,
    estimate: Annotated[
        bool,
        typer.Option("--estimate", help="Print how long the job would take, and its size, and generate nothing."),
        "not with --out, --force, --quiet, --job",
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the finished job, or the estimate, as JSON.")] = False,
    quiet: Quiet = False,
) -> None:
    """Generate images with a running service, and save them. --job resumes an interrupted job.

    If the service needs an API key, set IMAGEMILL_KEY.
    """
    from app.cli.job_delivery import open_delivery
    from app.cli.new_job import NewJob
    from app.cli.split_option import parse_splits
    from app.client.job_parameters import JobParameters

    if job is None and n is None and not split and ":" not in (classes or ""):
        refuse_usage("give -n, --split or --classes with counts to generate images, or --job to resume a job")
    options = JobParameters(
        n=n,
        model=model,
        class_=class_label,
        classes=classes,
        keep=keep,
        copies=copies,
        distinct=distinct,
        seed=seed,
        start=start,
        format=kind,
        layout=layout,
        around=around if spread is None else f"{around}&spread={spread:f}",
        between=between,
        truncation=truncation,
        style_mode=mode,
        style_strength=strength,
        style_steps=steps,
        name=name,
        ttl_hours=ttl_hours,
    )
    new_job, splits = NewJob(options, style), parse_splits(split or ())
    key = os.environ.get("IMAGEMILL_KEY") or None  # not an option: every user of a machine can see command lines
    with open_delivery(server, key, OutputOptions(out, force, as_json, quiet)) as delivery:
        if job is not None:
            delivery.resume(job)
        elif estimate:
            delivery.estimate(new_job)
        elif splits:
            delivery.request_splits(new_job, splits)
        else:
            delivery.request(new_job)
