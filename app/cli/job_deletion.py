"""Removes the images of jobs, for `imagemill delete`."""

import sys
from collections.abc import Sequence

import typer

from app.cli.job_table import print_table
from app.cli.refusal import refuse_usage
from app.cli.signals import ended_by_signals
from app.cli.terminal import Terminal
from app.client import Client, ClientError


def delete_jobs(server: str, key: str | None, job_ids: Sequence[str], *, is_confirmed: bool) -> bool:
    """Ask, then remove the images of jobs. Returns False if the user said no, or if a job could not be removed."""
    terminal = Terminal()
    with ended_by_signals(ClientError, is_normal=False), Client(server, key, notify=terminal.note) as client:
        if not is_confirmed:
            if not sys.stdin.isatty():
                refuse_usage("give --yes to remove images without a question")
            print_table(client.job(job_id) for job_id in job_ids)
            if not typer.confirm("Remove these images from the service?"):
                return False
        failed = [job_id for job_id in job_ids if not _delete(client, job_id)]  # go on after an error
        return not failed


def _delete(client: Client, job_id: str) -> bool:
    try:
        job = client.delete(job_id)
    except ClientError as error:
        typer.echo(f"Error: {error}", err=True)
        return False
    typer.echo(f"images of job {job.id} are removed")
    return True
