"""A download that resumes where it broke off (RFC 9110, sections 13.1.5, 14.2 and 14.4)."""

import base64
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Generic, TypeVar

import httpx

from app.client.byte_sizes import readable
from app.client.errors import ClientError, DownloadError, NotAvailableError
from app.client.parsing import is_error, refusal
from app.client.sinks import Sink
from app.client.steps import Emit, Flow, Items, OpenStream, Pause, read_chunk, send

_MAX_FAILURES = 5
"""Failures in a row without a new byte, after which a download is given up."""
_PAUSE_SECONDS = 0.5
_MAX_PAUSE_SECONDS = 30.0
_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,19})-\d{1,19}|\*)/(\d{1,19}|\*)", re.ASCII)
_REPR_DIGEST = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):", re.ASCII)

T = TypeVar("T")


class Download(Generic[T]):
    """Fetches the part of one resource that a sink lacks, and emits the items that the sink makes of it.

    `on_chunk` runs after every chunk, with the size of the whole if it is known.
    """

    def __init__(
        self,
        url: str,
        sink: Sink[T],
        notify: Callable[[str], object],
        on_chunk: Callable[[int | None], Flow[None]] | None = None,
    ) -> None:
        self._url = url
        self._sink = sink
        self._notify = notify
        self._on_chunk = on_chunk
        self._etag: str | None = None
        self.sha256: bytes | None = None
        """SHA-256 of the whole resource, if a response had it (RFC 9530)."""

    def run(self) -> Items[T]:
        """Fetch everything. Raises ClientError on a refusal, or after five failures in a row without a new byte."""
        failures = 0
        while True:
            size_before = self._sink.size
            try:
                yield from self._attempt()
                return
            except ClientError as error:
                failures = 0 if self._sink.size > size_before else failures + 1
                if error.retry_after_seconds is None or failures == _MAX_FAILURES:
                    raise
                self._notify(f"{error}; resuming after {readable(self._sink.size)}")
                pause = max(error.retry_after_seconds, _PAUSE_SECONDS * 2**failures)
            yield Pause(min(pause, _MAX_PAUSE_SECONDS))

    def try_once(self) -> Items[T]:
        """Fetch the body of one response from a running job. A broken connection is ignored.

        So is the refusal of an archive that is not available: the next poll of the job says why. Other refusals raise
        ClientError.
        """
        try:
            yield from self._attempt()
        except NotAvailableError:
            return
        except ClientError as error:
            if error.retry_after_seconds is None:
                raise

    def _attempt(self) -> Items[T]:
        response = yield from send(OpenStream(self._url, self._request_headers()))
        if is_error(response):
            raise refusal(response)
        total = _total_size(response)
        is_refused = response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
        if not is_refused:
            yield from self._append_body(response, total)
        # A growing archive has no total. Its end is trusted here; ArchiveDownload then checks it by its size.
        if self._sink.size == total or (total is None and not is_refused):
            return
        # More bytes than the whole, or a refused range without a total: the sink holds another archive.
        if total is None or self._sink.size > total:
            self._restart()
        raise DownloadError("the download was interrupted", retry_after_seconds=_PAUSE_SECONDS)

    def _request_headers(self) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity"}
        if self._sink.size:
            headers["Range"] = f"bytes={self._sink.size}-"
            # The file of an earlier run has no known ETag, but its name holds the job. A weak ETag never matches.
            if self._etag is not None and not self._etag.startswith("W/"):
                headers["If-Range"] = self._etag
        return headers

    def _append_body(self, response: httpx.Response, total: int | None) -> Items[T]:
        """Append the bytes of a body that the sink lacks."""
        start = self._start_of_body(response)
        # Servers may ignore the range and send the whole. The bytes that the sink has already are skipped.
        skip = self._sink.size - start
        while (chunk := (yield from read_chunk())) is not None:
            new = chunk[skip:]
            skip = max(0, skip - len(chunk))
            for item in self._sink.append(new):
                yield Emit(item)
            if self._on_chunk is not None:
                yield from self._on_chunk(total)

    def _start_of_body(self, response: httpx.Response) -> int:
        """Return the position of a body in the resource. If the resource has changed, the sink is emptied first."""
        etag = response.headers.get("ETag")
        if None not in (etag, self._etag) and etag != self._etag:
            self._restart()
        self._etag = etag
        self.sha256 = _sha256(response) or self.sha256
        if response.status_code != HTTPStatus.PARTIAL_CONTENT:
            return 0
        match = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
        if match is None or match[1] is None or int(match[1]) > self._sink.size:
            raise DownloadError("the server sent a part of the archive that was not requested")
        return int(match[1])

    def _restart(self) -> None:
        self._sink.restart()
        self._etag = self.sha256 = None


def _total_size(response: httpx.Response) -> int | None:
    """Read the size of the whole resource from a response."""
    if response.status_code == HTTPStatus.OK:
        value = response.headers.get("Content-Length", "")
    else:
        match = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
        value = match[2] if match else ""
    return int(value) if value.isdecimal() else None


def _sha256(response: httpx.Response) -> bytes | None:
    """Read the SHA-256 of the whole resource from a response. A field of an unknown form counts as absent."""
    match = _REPR_DIGEST.search(response.headers.get("Repr-Digest", ""))
    return base64.b64decode(match[1]) if match else None
