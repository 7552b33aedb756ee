"""Prints jobs as a table, for `imagemill jobs` and `imagemill delete`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

import typer

from app.cli.signals import ended_by_signals
from app.cli.terminal import Terminal, print_json
from app.client import Client, ClientError, Job
from app.client.options import State

_HEAD = ("JOB", "STATE", "IMAGES", "MODEL", "CREATED", "EXPIRES", "NAME")


@dataclass(frozen=True)
class JobFilters:
    """The filters of a list of jobs. None means all jobs."""

    state: State | None
    model: str | None
    name: str | None


def print_jobs(server: str, key: str | None, filters: JobFilters, limit: int, *, is_json: bool) -> None:
    """Print the newest jobs that match the filters."""
    with ended_by_signals(ClientError, is_normal=False), Client(server, key, notify=Terminal().note) as client:
        found = islice(client.jobs(state=filters.state, model=filters.model, name=filters.name), limit)
        if is_json:
            for job in found:
                print_json(job.model_dump(mode="json", by_alias=True, exclude_unset=True))
        else:
            print_table(found)


def print_table(jobs: Iterable[Job]) -> None:
    """Print one line for each job. The columns are not cut, so that ids can be copied."""
    rows = [_HEAD, *(_row(job) for job in jobs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(job: Job) -> tuple[str, ...]:
    images = f"{job.n}" if job.done else f"{job.images_done}/{job.n}"
    is_gone = job.expires is not None and job.expires <= datetime.now(UTC)
    expires = "removed" if is_gone else _minute(job.expires)
    return (job.id, job.state, images, job.model, _minute(job.created), expires, job.name or "")


def _minute(time: datetime | None) -> str:
    """Return a time in the zone of this computer."""
    return "" if time is None else f"{time.astimezone():%Y-%m-%d %H:%M}"
