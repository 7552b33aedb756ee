"""Saves the archive of a job, and shows progress bars."""

from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, TextColumn

from app.cli.archive_output import open_output
from app.cli.output_path import STANDARD_OUTPUT
from app.client import Client, DownloadProgress, Job

_COLUMNS = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[detail]}"))


def save_archive(client: Client, job: Job, out: Path, console: Console, *, is_forced: bool = False) -> None:
    """Save the archive of a job as `out`. Raises ClientError if the job fails or its archive is not available."""
    output = open_output(out, job.id, is_forced=is_forced)
    with output as file, Progress(*_COLUMNS, console=console, redirect_stdout=False) as progress:
        bars = _ProgressBars(progress, job)
        client.write_archive(job, file, is_stream=out == STANDARD_OUTPUT, progress=bars.show)


class _ProgressBars:
    """One bar for the images of a job and one for the bytes of its archive."""

    def __init__(self, progress: Progress, job: Job) -> None:
        self._progress = progress
        self._shown_job: Job | None = None
        self._images = progress.add_task("Queued", total=job.images_total, detail="")
        self._bytes = progress.add_task("Downloading", total=None, start=False, detail="")

    def show(self, news: DownloadProgress) -> None:
        """Update the bar that has changed."""
        # Most reports come after a chunk, with the same job. Only a poll brings a new one.
        if news.job is not self._shown_job:
            self._shown_job = news.job
            self._show_images(news.job)
        if news.bytes_done:
            self._show_bytes(news.bytes_done, news.bytes_total)

    def _show_images(self, job: Job) -> None:
        if job.style_learnt is None:
            description = "Queued" if job.state == "queued" else "Rendering"
            detail = f"{job.images_done}/{job.images_total} images{_pace(job)}"
            self._progress.update(self._images, description=description, completed=job.images_done, detail=detail)
        else:
            # The model learns the style first; the bar of the images shows that progress.
            completed, detail = job.style_learnt * job.images_total, f"{job.style_learnt:.0%} learnt"
            self._progress.update(self._images, description="Learning style", completed=completed, detail=detail)

    def _show_bytes(self, done: int, total: int | None) -> None:
        detail = f"{decimal(done)}/{decimal(total)}" if total else decimal(done)
        self._progress.start_task(self._bytes)
        self._progress.update(self._bytes, completed=done, total=total, detail=detail)


def _pace(job: Job) -> str:
    if not job.images_per_s:
        return ""
    left = f", {timedelta(seconds=round(job.eta_seconds))} left" if job.eta_seconds else ""
    return f", {job.images_per_s:.1f} images/s{left}"
