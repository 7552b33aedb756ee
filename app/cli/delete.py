"""The command `imagemill delete`."""

import os
from typing import Annotated

import typer

from app.cli.output_options import Server
from app.cli.terminal import DEFAULT_SERVER


def delete(
    jobs: Annotated[list[str], typer.Argument(metavar="JOB...", help="Ids of jobs.")],
    yes: Annotated[bool, typer.Option("-y", "--yes", "--force", help="Do not ask.")] = False,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Remove the images of jobs from the service now, and cancel jobs that have not ended. Their records stay.

    If the service needs an API key, set IMAGEMILL_KEY.
    """
    from app.cli.job_deletion import delete_jobs

    if not delete_jobs(server, os.environ.get("IMAGEMILL_KEY") or None, jobs, is_confirmed=yes):
        raise typer.Exit(1)
