"""A download that goes on where it broke off, as RFC 9110 has it (sections 13.1.5, 14.2 and 14.4)."""

import os
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import IO

import httpx
from rich.filesize import decimal

from app.client.client import Client, ClientError

_FAILURES = 5
_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,19})-\d{1,19}|\*)/(\d{1,19}|\*)", re.ASCII)


class ResumableDownload:
    """Appends to a file what it lacks of one resource, and reports (bytes there, bytes in all if known).

    A stream cannot be read back: nothing is there at first, and what was written to it stays.
    """

    def __init__(
        self,
        client: Client,
        path: str,
        file: IO[bytes],
        progress: Callable[[int, int | None], None],
        *,
        is_stream: bool = False,
    ) -> None:
        self._client = client
        self._path = path
        self._file = file
        self._progress = progress
        self._is_stream = is_stream
        self._have = 0 if is_stream else file.seek(0, os.SEEK_END)
        self._etag: str | None = None

    def run(self) -> None:
        """Fetch all; raises ClientError when that is refused, or after five failures in a row without a new byte."""
        failures = 0
        while True:
            before = self._have
            try:
                self._attempt()
                return
            except ClientError as error:
                failures = 0 if self._have > before else failures + 1
                if error.retry_after_seconds is None or failures == _FAILURES:
                    raise
                self._client.say(f"{error}; going on after {decimal(self._have)}")
                pause = max(error.retry_after_seconds, _PAUSE_SECONDS * 2**failures)
            self._client.pause(min(pause, _LONGEST_PAUSE_SECONDS))

    def take_once(self) -> bool:
        """Take what one answer brings, and tell whether it brought all; raises ClientError when that is refused."""
        try:
            self._attempt()
        except ClientError as error:
            if error.retry_after_seconds is None:
                raise
            return False
        return True

    def _attempt(self) -> None:
        with self._client.stream(self._path, self._headers()) as response:
            total = _total(response)
            refused = response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
            if not refused:
                self._take(response, total)
        if self._have == total or (total is None and not refused):
            return
        if total is None or self._have > total:
            self._begin_anew()
        raise ClientError("the download broke off", retry_after_seconds=_PAUSE_SECONDS)

    def _headers(self) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity"}
        if self._have:
            headers["Range"] = f"bytes={self._have}-"
            if self._etag is not None and not self._etag.startswith("W/"):
                headers["If-Range"] = self._etag
        return headers

    def _take(self, response: httpx.Response, total: int | None) -> None:
        """Append a body, but for what is there of it."""
        start = self._start(response)
        skip = self._have - start
        for chunk in response.iter_raw():
            fresh = chunk[skip:]
            skip = max(0, skip - len(chunk))
            self._file.write(fresh)
            self._have += len(fresh)
            self._progress(self._have, total)

    def _start(self, response: httpx.Response) -> int:
        """Find where in the whole a body starts; what is there is given up if the whole is not what it was."""
        etag = response.headers.get("ETag")
        if None not in (etag, self._etag) and etag != self._etag:
            self._begin_anew()
        self._etag = etag
        if response.status_code != HTTPStatus.PARTIAL_CONTENT:
            return 0
        match = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
        if match is None or match[1] is None or int(match[1]) > self._have:
            raise ClientError("the server sent another part of the archive than it was asked for")
        return int(match[1])

    def _begin_anew(self) -> None:
        if self._is_stream:
            raise ClientError("the archive has changed since its beginning was written, which cannot be taken back")
        self._file.truncate(0)
        self._file.seek(0)
        self._have = 0
        self._etag = None


def _total(response: httpx.Response) -> int | None:
    """Read from an answer how long the whole is."""
    if response.status_code == HTTPStatus.OK:
        value = response.headers.get("Content-Length", "")
    else:
        match = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
        value = match[2] if match else ""
    return int(value) if value.isdecimal() else None
