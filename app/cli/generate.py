"""The command `imagemill generate`: from a request to a file."""

import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape

from app.archive_name import archive_name
from app.cli import output_file
from app.cli.commands import STANDARD, occupied, refuse_usage
from app.cli.save_archive import collect
from app.cli.terminal import Terminal, print_json
from app.client import partial_file
from app.client.answers import Job, Named
from app.client.client import Client, ClientError, JobLostError

_UNNAMED = Path("<model>-seed<seed>-n<n>.zip")
_MOST_LEFT_OVER = 3

Query = Mapping[str, str | int | float]


@dataclass(frozen=True)
class Delivery:
    """How a job is handed over."""

    out: Path | None = None
    """None names the file after the job; `-` is standard output."""
    is_forced: bool = False
    """Whether a file of that name is replaced."""
    is_json: bool = False
    """Whether the job is printed as JSON instead of a report."""

    def check(self) -> None:
        """Refuse a place where nothing can be written, before anything is asked for."""
        if self.out == STANDARD:
            if sys.stdout is None or sys.stdout.isatty():
                refuse_usage("-o - writes the archive to standard output, which has to be a pipe or a file")
            if self.is_json or self.is_forced:
                ignored = "--json" if self.is_json else "--force"
                refuse_usage(f"{ignored} and -o - do not go together: the archive is all that is written there")
            return
        if self.out is not None:
            self.check_name(self.out)
        output_file.check(self.out or _UNNAMED)

    def check_name(self, out: Path) -> None:
        """Refuse a file that is there already, unless it may be replaced."""
        fault = occupied(out, is_forced=self.is_forced) if out != STANDARD else None
        if fault is not None:
            refuse_usage(fault)


def order(client: Client, query: Query, style: Path | None, delivery: Delivery, terminal: Terminal) -> None:
    """Ask a server for images, in the style of a picture if there is one, wait for them and save them."""
    delivery.check()
    _name_left_over(client, delivery, terminal)
    if delivery.out is None and "seed" in query:  # else it is a new name anyway
        delivery.check_name(_expected_name(client, query))
    began = time.monotonic()
    styled = {} if style is None else {"style": client.bring(style)}
    job = client.generate({**query, **styled})
    out = delivery.out or Path(archive_name(job))
    with _continued_later(client, job, out):
        terminal.note(f"job {job.id} accepted; {_way_on(client, job.id, out)}")
        _hand_over(client, job, out, delivery, terminal, lambda: pace(job, began))


def attach(client: Client, job_id: str, delivery: Delivery, terminal: Terminal) -> None:
    """Wait for a job that was asked for before, and save what is missing of its images."""
    delivery.check()
    folder = (delivery.out or _UNNAMED).parent
    found = partial_file.of_job(folder, job_id) if delivery.out != STANDARD else []
    began = time.monotonic()
    try:
        job = client.job(job_id)
    except JobLostError as error:
        for each in found:
            error.add_note(f"{each.path} was downloaded of it; remove that file if the job is gone for good")
        raise
    out = delivery.out or (found[0].out if found else Path(archive_name(job)))
    delivery.check_name(out)
    if found:
        found[0].path.replace(partial_file.path_of(out, job_id))

    def took() -> str:
        return f"{time.monotonic() - began:.1f} s from taking up the job to last byte"

    with _continued_later(client, job, out):
        _hand_over(client, job, out, delivery, terminal, took)
    for each in found[1:]:
        each.path.unlink(missing_ok=True)


def pace(job: Job, began: float) -> str:
    """Tell how long a job took from its request to the last byte."""
    seconds = time.monotonic() - began
    return f"{seconds:.1f} s from request to last byte, {job.n / seconds:.0f} images/s"


def report(job: Job, out: Path, took: str, terminal: Terminal) -> None:
    """Print what there is now."""
    place = "on standard output" if out == STANDARD else f"in [bold]{escape(str(out.resolve()))}[/]"
    console = terminal.notes if out == STANDARD else terminal.result
    console.print(f"[bold green]{job.n} images[/] from {escape(job.model)} are {place}")
    console.print(took)
    console.print(f"seed: {job.seed}")


def _hand_over(
    client: Client, job: Job, out: Path, delivery: Delivery, terminal: Terminal, told: Callable[[], str]
) -> None:
    """Save the archive of a job and print the result, also of a job that ends without an archive."""
    try:
        collect(client, job, out, terminal.notes, is_forced=delivery.is_forced)
    except JobLostError:
        if delivery.is_json:
            with suppress(ClientError):
                _print_job(client.job(job.id), None)
        raise
    report(job, out, told(), terminal)
    if delivery.is_json:
        *_, ended = client.follow(client.job(job.id))
        _print_job(ended, out)


def _print_job(job: Job, out: Path | None) -> None:
    answer = job.model_dump(mode="json", by_alias=True, exclude_unset=True)
    print_json(answer | {"file": out and str(out.resolve())})


def _expected_name(client: Client, query: Query) -> Path:
    """Name the file that a request with a seed will have; the server knows its default model, and models by sha256."""
    asked = query.get("model")
    meant = [model for model in client.models() if (asked in (model.name, model.sha256) if asked else model.default)]
    name = meant[0].name if meant else asked  # the server will refuse it
    return Path(archive_name(Named.model_validate({**query, "model": name or ""})))


def _name_left_over(client: Client, delivery: Delivery, terminal: Terminal) -> None:
    """Name the downloads that were interrupted where the output goes, as each of them can be continued."""
    if delivery.out == STANDARD:
        return
    found = partial_file.left_over((delivery.out or _UNNAMED).parent)
    for each in found[:_MOST_LEFT_OVER]:
        terminal.note(
            f"{each.path} is left of an interrupted download; {_way_on(client, each.job_id, each.out)}, or remove it"
        )
    if len(found) > _MOST_LEFT_OVER:
        terminal.note(f"{len(found) - _MOST_LEFT_OVER} more are left, by names that end in .partial")


def _way_on(client: Client, job_id: str, out: Path) -> str:
    again = ["imagemill", "generate", "--job", job_id, "-o", str(out), "--server", client.server]
    return f"continue with: {shlex.join(again)}"


@contextmanager
def _continued_later(client: Client, job: Job, out: Path) -> Iterator[None]:
    """Let whatever ends this early tell how to go on, unless there is nothing to go on with."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, ClientError) or error.retry_after_seconds is not None:
            error.add_note(_way_on(client, job.id, out))
        raise
