"""The command `imagemill jobs`."""

import os
from typing import Annotated, Literal

import typer

from app.cli.output_options import Server
from app.cli.terminal import DEFAULT_SERVER

_State = Literal["queued", "running", "succeeded", "failed", "cancelled"]


def jobs(
    state: Annotated[_State | None, typer.Option(help="List only jobs in this state.")] = None,
    model: Annotated[str | None, typer.Option(help="List only jobs of this model: its name or its sha256.")] = None,
    name: Annotated[str | None, typer.Option(help="List only jobs of this name.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Largest number of jobs.")] = 20,
    server: Server = DEFAULT_SERVER,
    as_json: Annotated[bool, typer.Option("--json", help="Print each job as one line of JSON.")] = False,
) -> None:
    """List your jobs, the newest first. If the service needs an API key, set IMAGEMILL_KEY."""
    from app.cli.job_table import JobFilters, print_jobs

    key = os.environ.get("IMAGEMILL_KEY") or None
    print_jobs(server, key, JobFilters(state, model, name), limit, is_json=as_json)
