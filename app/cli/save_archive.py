"""From a job to a file: its archive is taken while it grows, and bars show how both get on."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, TextColumn

from app.cli import output_file
from app.cli.commands import STANDARD
from app.client.answers import Job
from app.client.client import Client
from app.client.resumable_download import ResumableDownload

_POLL_SECONDS = 0.5
_COLUMNS = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"))


def collect(
    client: Client,
    job: Job,
    out: Path,
    console: Console,
    *,
    is_forced: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Save a job's archive as `out`; raises ClientError when the job ends otherwise, or the archive cannot be had."""
    opened = output_file.opened(out, job.id, is_forced=is_forced)
    with opened as file, Progress(*_COLUMNS, console=console, redirect_stdout=False) as progress:
        bars = _Bars(progress, client, job, clock)
        transfer = ResumableDownload(client, job.links.download, file, bars.show_bytes, is_stream=out == STANDARD)
        is_untried = True  # once: what grows is sent from its beginning, what is finished from where it broke off
        for latest in client.follow(job):
            bars.show(latest)
            if is_untried and latest.images_done and not latest.done:
                is_untried = False
                transfer.take_once()
        transfer.run()  # also after an answer that seems whole: some proxies end one properly that was cut


class _Bars:
    """One bar for the images of a job and one for the bytes of its archive."""

    def __init__(self, progress: Progress, client: Client, job: Job, clock: Callable[[], float]) -> None:
        self._progress = progress
        self._client = client
        self._job = job
        self._clock = clock
        self._asked = clock()
        self._images = progress.add_task("Queued", total=job.images_total, told="")
        self._bytes = progress.add_task("Downloading", total=None, start=False, told="")

    def show(self, job: Job) -> None:
        """Show how rendering gets on."""
        if job.style_learnt is None:
            description = "Queued" if job.state == "queued" else "Rendering"
            told = f"{job.images_done}/{job.images_total} images{_pace(job)}"
            self._progress.update(self._images, description=description, completed=job.images_done, told=told)
        else:
            learnt, told = job.style_learnt * job.images_total, f"{job.style_learnt:.0%} learnt"
            self._progress.update(self._images, description="Learning style", completed=learnt, told=told)
        self._job, self._asked = job, self._clock()

    def show_bytes(self, have: int, total: int | None) -> None:
        """Show how the download gets on, and now and then ask how rendering does."""
        told = f"{decimal(have)}/{decimal(total)}" if total else decimal(have)
        self._progress.start_task(self._bytes)
        self._progress.update(self._bytes, completed=have, total=total, told=told)
        if not self._job.done and self._clock() - self._asked > _POLL_SECONDS:
            self.show(self._client.job(self._job.id))


def _pace(job: Job) -> str:
    if not job.images_per_s:
        return ""
    left = f", {timedelta(seconds=round(job.eta_seconds))} left" if job.eta_seconds else ""
    return f", {job.images_per_s:.1f} images/s{left}"
