"""The operations of the client. Both clients offer them as their methods, so this is their documentation, too."""

from collections.abc import Callable
from pathlib import Path
from typing import IO, Unpack
from urllib.parse import quote

from app.client.archive_download import ArchiveDownload, DownloadProgress
from app.client.download import Download
from app.client.errors import ClientError, DownloadError, FileError
from app.client.estimate import Estimate
from app.client.idempotency import idempotency_headers
from app.client.image import Image
from app.client.image_reader import ImageReader, class_folder
from app.client.job_operations import JobOperations
from app.client.job_parameters import JobParameters, query_of
from app.client.job_poll import JobPoll, check_succeeded
from app.client.options import (
    SUFFIXES,
    Classes,
    Copies,
    Format,
    ImageFormat,
    Layout,
    Split,
    StyleMode,
    classes_text,
    given,
)
from app.client.output_file import open_to_resume
from app.client.parsing import check_image
from app.client.responses import Job, Style
from app.client.sinks import FileSink
from app.client.steps import Emit, Flow, Items, Request
from app.client.tar_reader import TarReader

_IMAGE_SECONDS = 90
"""The server may wait for 60 s until an image is rendered."""


class Operations(JobOperations):
    """All operations on one server, as generators of steps."""

    def generate(
        self,
        *,
        n: int | None = None,
        model: str | None = None,
        class_: str | None = None,
        classes: Classes | None = None,
        keep: float | None = None,
        copies: Copies | None = None,
        distinct: int | None = None,
        seed: int | None = None,
        start: int | None = None,
        format: Format | None = None,
        layout: Layout | None = None,
        around: str | None = None,
        between: str | None = None,
        truncation: float | None = None,
        style: Style | str | None = None,
        style_mode: StyleMode | None = None,
        style_strength: float | None = None,
        style_steps: int | None = None,
        split: Split | None = None,
        name: str | None = None,
        ttl_hours: int | None = None,
        idempotency_key: str | None = None,
    ) -> Flow[Job]:
        """Request n images, and return the accepted job.

        `classes` are counts by class (then n may be left out), names of classes, or the text of the parameter.
        `around` is a point like `at=1:0&spread=0.35`, around which the images lie.
        `between` is a walk like `1:0,777:0`, whose n frames are the images.
        The parameters are those of `POST /generate`; the server chooses those that are left out. A repeated request
        with the same `idempotency_key` returns the same job. Without one, a random key protects this call: if the
        response is lost, the repeated request finds the job that was accepted.
        """
        parameters = {
            "n": n,
            "model": model,
            "class": class_,
            "classes": classes_text(classes),
            "keep": keep,
            "copies": copies,
            "distinct": distinct,
            "seed": seed,
            "start": start,
            "format": format,
            "layout": layout,
            "around": around,
            "between": between,
            "truncation": truncation,
            "style": style.id if isinstance(style, Style) else style,
            "style_mode": style_mode,
            "style_strength": style_strength,
            "style_steps": style_steps,
            "split": split,
            "name": name,
            "ttl_hours": ttl_hours,
        }
        headers = idempotency_headers(idempotency_key)
        return self._job(Request("POST", "/generate", given(parameters), headers))

    def estimate(self, **parameters: Unpack[JobParameters]) -> Flow[Estimate]:
        """Return the expected costs of a job with these parameters of `generate`. The service creates nothing."""
        return self._object(Estimate, Request("POST", "/estimate", query_of(parameters)))

    def follow(self, job: Job | str) -> Items[Job]:
        """Yield the job now and after each poll, until it has succeeded. Raises JobFailedError if it ends otherwise."""
        job, poll = (yield from self._current(job)), JobPoll(self._poll)
        yield Emit(job)
        while not job.done:
            job = yield from poll.next(job)
            yield Emit(job)
        check_succeeded(job)

    def wait(
        self, job: Job | str, *, timeout: float | None = None, progress: Callable[[Job], object] | None = None
    ) -> Flow[Job]:
        """Wait until a job has succeeded, and return it. `progress` gets the job after each poll.

        Raises JobFailedError if the job fails or is cancelled, and WaitTimeoutError after `timeout` seconds.
        """
        poll = JobPoll(self._poll, timeout)
        job = yield from self._current(job)
        while True:
            if progress is not None:
                progress(job)
            if job.done:
                check_succeeded(job)
                return job
            job = yield from poll.next(job)

    def download(
        self,
        job: Job | str,
        path: str | Path,
        *,
        overwrite: bool = False,
        progress: Callable[[DownloadProgress], object] | None = None,
    ) -> Flow[Path]:
        """Save the archive of a job as a file, and return the path. While the job runs, its archive grows.

        The file appears under its name once it is complete. Until then a hidden partial file holds the bytes. If this
        call is interrupted, the next call with the same path resumes it.
        """
        path = Path(path)
        if path.is_dir():  # also of the empty path, which means the current folder
            raise FileError(f"{path} is a folder; pass the path of a file")
        if path.exists() and not overwrite:
            raise FileError(f"{path} exists already; pass overwrite=True to replace it, or another path")
        job = yield from self._current(job)
        with open_to_resume(path, job.id, overwrite=overwrite) as file:
            yield from self.write_archive(job, file, progress=progress)
        return path

    def write_archive(
        self,
        job: Job | str,
        file: IO[bytes],
        *,
        is_stream: bool = False,
        progress: Callable[[DownloadProgress], object] | None = None,
    ) -> Flow[None]:
        """Append the rest of a job's archive to an open binary file that holds its beginning or nothing.

        Set `is_stream` for a pipe and the like, which cannot be truncated.
        """
        job = yield from self._current(job)
        sink = FileSink(file, is_stream=is_stream)
        yield from ArchiveDownload(job, sink, self._poll, self._retries.notify, progress).run()

    def images(self, job: Job | str) -> Items[Image]:
        """Yield the images of a job in the order of their indices, each as soon as it arrives.

        The images come while the job runs. Only one image is in memory at a time. Raises JobFailedError if the job
        fails. The format `npz` and the layout `parquet` have no separate images: use `download`.
        """
        job, poll = (yield from self._current(job)), JobPoll(self._poll)
        if job.format == "npz":
            raise ClientError("a job of the format npz has no separate images; download its archive instead")
        if job.layout == "parquet":
            raise ClientError("the images of the layout parquet are rows of files; download the archive instead")
        is_tar = job.layout == "webdataset"
        reader = TarReader(job.format) if is_tar else ImageReader(job.format, (yield from self._class_folders(job)))
        download = Download(job.links.download, reader, self._retries.notify)
        is_first = True
        while not job.done and reader.count < job.n:
            # The first request comes before the first image: a poll lasts 2 s, but an open stream has no delay.
            # After a break, the growing archive comes from its beginning, so it is requested only for new images.
            if is_first or job.images_done > reader.count:
                is_first = False
                yield from download.try_once()
            job = yield from poll.next(job)
        if reader.count < job.n:
            check_succeeded(job)
            yield from download.run()
        if reader.count != job.n:
            raise DownloadError(f"the archive holds {reader.count} of {job.n} images")

    def image(
        self,
        model: str,
        seed: int,
        index: int,
        *,
        class_: str | None = None,
        style: Style | str | None = None,
        style_mode: StyleMode | None = None,
        style_strength: float | None = None,
        style_steps: int | None = None,
        format: ImageFormat = "png",
    ) -> Flow[bytes]:
        """Return the image of one address, as the bytes of a file. These bytes never change."""
        parameters = {
            "class": class_,
            "style": style.id if isinstance(style, Style) else style,
            "style_mode": style_mode,
            "style_strength": style_strength,
            "style_steps": style_steps,
        }
        suffix = SUFFIXES.get(format, format)  # the service refuses an unknown one, and lists those that it has
        path = f"/images/{quote(model, safe='')}/{seed}/{index}.{suffix}"
        response = yield from self._retries.send(Request("GET", path, given(parameters), timeout=_IMAGE_SECONDS))
        check_image(response, self._address)
        return response.content

    def _current(self, job: Job | str) -> Flow[Job]:
        return (yield from self.job(job)) if isinstance(job, str) else job

    def _poll(self, job: Job, wait_seconds: int, timeout: float) -> Flow[Job]:
        headers = {"Prefer": f"wait={wait_seconds}"} if wait_seconds else {}
        return self._job(Request("GET", job.links.self_, headers=headers, timeout=timeout))

    def _class_folders(self, job: Job) -> Flow[dict[str, str]]:
        """Map the names of class folders in a job's archive to the classes of its model."""
        classes = [label for model in (yield from self.models()) if model.name == job.model for label in model.classes]
        return {class_folder(label): label for label in classes}
