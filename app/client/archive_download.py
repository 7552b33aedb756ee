"""Downloads the archive of a job, also while the job runs."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Never

from app.client.download import Download
from app.client.errors import DownloadError
from app.client.job_poll import JobPoll, Poll, check_succeeded
from app.client.responses import Job
from app.client.sinks import FileSink
from app.client.steps import Flow

_NEWS_SECONDS = 0.5
"""Age of the last known state of a running job after which it is read again between two chunks."""
_READ_SECONDS = 30


@dataclass(frozen=True)
class DownloadProgress:
    """The progress of a download, and of its job."""

    job: Job
    bytes_done: int
    bytes_total: int | None
    """Size of the archive. It is unknown while the job runs."""


class ArchiveDownload:
    """Downloads one archive to a file, and reports progress after each chunk and each poll."""

    def __init__(
        self,
        job: Job,
        sink: FileSink,
        poll: Poll,
        notify: Callable[[str], object],
        progress: Callable[[DownloadProgress], object] | None,
    ) -> None:
        self._job = job
        self._sink = sink
        self._poll = poll
        self._notify = notify
        self._progress = progress
        self._total: int | None = None
        self._last_news = time.monotonic()
        self._download: Download[Never] = Download(job.links.download, sink, notify, self._on_chunk)

    def run(self) -> Flow[None]:
        """Download until the archive is complete. Raises ClientError, also if the job fails."""
        poll, is_untried = JobPoll(self._poll), True
        self._report(self._job)
        while not self._job.done:
            # Only once: a growing archive is sent from its beginning, a finished one from where the download broke.
            if is_untried and self._job.images_done:
                is_untried = False
                yield from self._download.try_once()
            self._report((yield from poll.next(self._job)))
        check_succeeded(self._job)
        # Also after a response that seems complete: some proxies end a broken response properly.
        yield from self._download.run()
        if self._has_wrong_checksum():
            self._notify("the archive does not have its checksum; downloading it again")
            self._sink.restart()
            yield from self._download.run()
        if self._has_wrong_checksum():
            self._sink.restart()  # the next call must not resume these bytes
            raise DownloadError(
                "the archive was downloaded twice, and it does not have the checksum that the service sent"
            )

    def _has_wrong_checksum(self) -> bool:
        """Return whether the complete file differs from the checksum that the service sent, if it sent one."""
        expected = self._download.sha256
        return expected is not None and self._sink.sha256() not in (None, expected)

    def _on_chunk(self, total: int | None) -> Flow[None]:
        self._total = total
        job = self._job
        if not job.done and time.monotonic() - self._last_news > _NEWS_SECONDS:
            job = yield from self._poll(job, 0, _READ_SECONDS)
        self._report(job)

    def _report(self, job: Job) -> None:
        if job is not self._job:
            self._job, self._last_news = job, time.monotonic()
        if self._progress is not None:
            self._progress(DownloadProgress(job, self._sink.size, self._total))
