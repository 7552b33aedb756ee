"""The main job from beginning to end, as a user would do it over HTTP."""

import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from app.cli import output_file
from app.cli.generate import pace, report
from app.cli.save_archive import collect
from app.cli.terminal import Terminal
from app.client import partial_file
from app.client.answers import Job
from app.client.client import Client
from app.local.supervisor import LocalService
from app.local.wait_until_ready import wait_until_ready


def demo(n: int, out: Path, is_forced: bool, terminal: Terminal) -> None:
    """Start a private service, generate n images with it, save them as a ZIP, and stop it."""
    with output_file.translated(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    output_file.check(out)
    with (
        tempfile.TemporaryDirectory(prefix="imagemill-demo-") as folder,
        LocalService(Path(folder), "127.0.0.1", 0, workers=1, log_level="warning") as service,
        Client(service.url, terminal.note, _sleep_and_restart(service)) as client,
    ):
        wait_until_ready(service, terminal.notes)
        began = time.monotonic()
        job = client.generate({"n": n})
        _save(client, job, out, is_forced, terminal)
        took = pace(job, began)
    report(job, out, took, terminal)
    terminal.note("\nNext: imagemill up keeps the service running; then, in another terminal:")
    terminal.note("  imagemill generate -n 1000 --seed 7")


def _sleep_and_restart(service: LocalService) -> Callable[[float], None]:
    """Make a pause of the client in which what has died is started again."""

    def pause(seconds: float) -> None:
        service.restart_dead_processes()
        time.sleep(seconds)
        service.restart_dead_processes()

    return pause


def _save(client: Client, job: Job, out: Path, is_forced: bool, terminal: Terminal) -> None:
    """Save a job's archive, and leave nothing when that fails: the job is gone with its service."""
    try:
        collect(client, job, out, terminal.notes, is_forced=is_forced)
    finally:
        with suppress(OSError):
            partial_file.path_of(out, job.id).unlink(missing_ok=True)
