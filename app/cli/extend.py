"""The command `imagemill extend`."""

import os
from typing import Annotated

import typer

from app.cli.output_options import AsJson, Force, Out, OutputOptions, Quiet, Server
from app.cli.terminal import DEFAULT_SERVER


def extend(
    job: Annotated[str, typer.Argument(help="Id of a job that has succeeded.")],
    n: Annotated[int, typer.Option("-n", "--n", min=1, help="Number of images to add.")],
    out: Out = None,
    force: Force = False,
    server: Server = DEFAULT_SERVER,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Add images to the dataset of a job, and save all of its images. Only the new ones are rendered.

    A second call with the same -n finds the same new job. If the service needs an API key, set IMAGEMILL_KEY.
    """
    from app.cli.job_delivery import open_delivery

    key = os.environ.get("IMAGEMILL_KEY") or None
    with open_delivery(server, key, OutputOptions(out, force, as_json, quiet)) as delivery:
        delivery.extend(job, n)
