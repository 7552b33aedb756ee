"""Runs the main job from beginning to end on a private service, for `imagemill demo`."""

import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from app.cli.archive_output import check_writable
from app.cli.job_report import print_report, speed
from app.cli.save_archive import save_archive
from app.cli.signals import ended_by_signals
from app.cli.terminal import Terminal
from app.client import Client, ClientError, Job
from app.client.output_file import os_errors_translated
from app.client.partial_file import path_of
from app.local.supervisor import LocalService, LocalServiceError
from app.local.wait_until_ready import wait_until_ready


def run_demo(n: int, out: Path, *, is_forced: bool) -> None:
    """Start a private service, generate n images with it, save them as a ZIP, and stop the service."""
    with ended_by_signals(LocalServiceError, ClientError, is_normal=False):
        _demo(n, out, is_forced, Terminal())


def _demo(n: int, out: Path, is_forced: bool, terminal: Terminal) -> None:
    with os_errors_translated(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    check_writable(out)
    with (
        tempfile.TemporaryDirectory(prefix="imagemill-demo-") as folder,
        LocalService(Path(folder), "127.0.0.1", 0, workers=1, log_level="warning") as service,
        Client(service.url, notify=terminal.note, sleep=_sleep_and_restart(service)) as client,
    ):
        wait_until_ready(service, terminal.notes)
        started = time.monotonic()
        job = client.generate(n=n)
        _save(client, job, out, is_forced, terminal)
        took = speed(job, started)
    # After the block, so that the report is the last thing on the screen and not the messages of the stop.
    print_report(job, out, took, terminal)
    terminal.note("\nNext: imagemill up keeps the service running; then, in another terminal:")
    terminal.note("  imagemill generate -n 1000 --seed 7")


def _sleep_and_restart(service: LocalService) -> Callable[[float], None]:
    """Return a sleep function for the client that also restarts dead processes of the service."""

    def sleep(seconds: float) -> None:
        service.restart_dead_processes()
        time.sleep(seconds)
        service.restart_dead_processes()

    return sleep


def _save(client: Client, job: Job, out: Path, is_forced: bool, terminal: Terminal) -> None:
    """Save the archive of a job. Leave no partial file after an error: the job ends with its service."""
    try:
        save_archive(client, job, out, terminal.notes, is_forced=is_forced)
    finally:
        with suppress(OSError):
            path_of(out, job.id).unlink(missing_ok=True)
