"""The command `imagemill curate`."""

import os
import re
from typing import Annotated

import typer

from app.cli.output_options import AsJson, Force, Out, OutputOptions, Quiet, Server
from app.cli.refusal import refuse_usage
from app.cli.terminal import DEFAULT_SERVER

_INDEX = re.compile(r"[0-9]{1,16}", re.ASCII)


def curate(
    job: Annotated[str, typer.Argument(help="Id of a job that has succeeded.")],
    exclude: Annotated[
        str, typer.Option("--exclude", help="Indices of the images to exclude, like 3,17,40; - reads standard input.")
    ],
    out: Out = None,
    force: Force = False,
    server: Server = DEFAULT_SERVER,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Throw images out of the dataset of a job, and save it with the next images of their classes in their places.

    A second call with the same indices finds the same new job. If the service needs an API key, set IMAGEMILL_KEY.
    """
    from app.cli.job_delivery import open_delivery

    indices = parse_indices(typer.get_text_stream("stdin").read() if exclude == "-" else exclude)
    key = os.environ.get("IMAGEMILL_KEY") or None
    with open_delivery(server, key, OutputOptions(out, force, as_json, quiet)) as delivery:
        delivery.curate(job, indices)


def parse_indices(text: str) -> list[int]:
    """Parse indices that commas or spaces separate. Exits with status 2 if one is wrong or there are none."""
    parts = [part for part in re.split(r"[,\s]+", text) if part]
    if wrong := [part for part in parts if not _INDEX.fullmatch(part)]:
        refuse_usage(f"--exclude {wrong[0]}: must be the index of an image, like 17")
    if not parts:
        refuse_usage("--exclude: name at least one image, like 3,17,40")
    return sorted({int(part) for part in parts})
