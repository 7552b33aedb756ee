"""The command `imagemill generate`: from a request to a file."""

import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from app import output
from app.client import Client, ClientError, Job
from app.collect import collect
from app.naming import archive_name

_UNNAMED = Path("<model>-seed<seed>-n<n>.zip")


def order(
    server: str,
    key: str | None,
    query: Mapping[str, str | int | float],
    style: Path | None,
    out: Path | None,
    console: Console,
) -> None:
    """Ask a server for images, in the style of a picture if there is one, wait for them and save them."""

    def begin(client: Client) -> Job:
        styled = {} if style is None else {"style": client.bring(style)}
        return client.generate({**query, **styled})

    _fetch(server, key, begin, out, console, pace)


def attach(server: str, key: str | None, job_id: str, out: Path | None, console: Console) -> None:
    """Wait for a job that was asked for before, and save what is missing of its images."""

    def took(_job: Job, began: float) -> str:
        return f"{time.monotonic() - began:.1f} s from taking up the job to last byte"

    _fetch(server, key, lambda client: client.job(job_id), out, console, took)


def pace(job: Job, began: float) -> str:
    """Tell how long a job took from its request to the last byte."""
    seconds = time.monotonic() - began
    return f"{seconds:.1f} s from request to last byte, {job.n / seconds:.0f} images/s"


def report(job: Job, out: Path, took: str, console: Console) -> None:
    """Say what there is now."""
    console.print(
        f"[bold green]{job.n} images[/] from {escape(job.model)} are in [bold]{escape(str(out.resolve()))}[/]"
    )
    console.print(took)
    console.print(f"seed: {job.seed}")


def teller(console: Console) -> Callable[[str], None]:
    """Make what says a line, as it is."""
    return lambda line: console.print(line, markup=False)


def _fetch(
    server: str,
    key: str | None,
    begin: Callable[[Client], Job],
    out: Path | None,
    console: Console,
    told: Callable[[Job, float], str],
) -> None:
    """Save the archive of a job that is begun or taken up here, and tell how long that took."""
    output.check(out or _UNNAMED)
    with Client(server, teller(console), key=key) as client:
        began = time.monotonic()
        job = begin(client)
        out = out or Path(archive_name(job))
        with _continued_later(client, job, out):
            collect(client, job, out, console)
        took = told(job, began)
    report(job, out, took, console)


@contextmanager
def _continued_later(client: Client, job: Job, out: Path) -> Iterator[None]:
    """Let whatever ends this early tell how to go on, unless there is nothing to go on with."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, ClientError) or error.retry_after_seconds is not None:
            again = ["imagemill", "generate", "--job", job.id, "-o", str(out), "--server", client.server]
            error.add_note(f"continue with: {shlex.join(again)}")
        raise
