"""The client of the API: asks for jobs and follows them, with patience for a server that is just being restarted."""

import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from app.client.answers import Answer, Job, Model, Models, Problem, Style
from app.client.links import is_of

_PATIENCE_SECONDS = 30
_ANSWER_SECONDS = 30
_UPLOAD_SECONDS = 300
_WAIT_SECONDS, _POLL_SECONDS = 2, 5
"""How long the server may hold back the answer to a poll, and how long we wait for that answer."""
_LEAST_BETWEEN_POLLS_SECONDS = 0.2
_RECONNECT_SECONDS = 0.5
_RETRY_SECONDS = 2
_SECONDS = re.compile(r"\d{1,9}", re.ASCII)
_KEY = re.compile(r"[\w.~+/=-]+", re.ASCII)
_LOST = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE)
_GATEWAY = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
"""What a proxy says while the server behind it is just being restarted."""


class ClientError(Exception):
    """What was asked for cannot be had, and whether it may be had later."""

    def __init__(self, sentence: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after_seconds = retry_after_seconds
        """Set exactly when the same may succeed later."""


class JobLostError(ClientError):
    """A job has ended without images, or is not there."""


A = TypeVar("A", bound=Answer)


class Client:
    """Talks to one server. `say` gets a line when it has to wait, and `pause` is how it waits."""

    def __init__(
        self,
        server: str,
        say: Callable[[str], None],
        pause: Callable[[float], None] = time.sleep,
        key: str | None = None,
    ) -> None:
        self.server = server
        self.say = say
        self.pause = pause
        self._http = httpx.Client(base_url=_checked(server), timeout=_ANSWER_SECONDS, headers=_authorization(key))

    def __enter__(self) -> Self:
        """Keep connections open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close them."""
        self._http.close()

    def generate(self, query: Mapping[str, str | int | float]) -> Job:
        """Ask for a new job. When an answer is lost, the repeated request finds the job that was accepted."""
        key = {"Idempotency-Key": secrets.token_urlsafe()}
        return self._job("POST", "/generate", params=query, headers=key)

    def models(self) -> tuple[Model, ...]:
        """List the models that can be asked for."""
        return self._patiently(Models, "GET", "/models").models

    def bring(self, picture: Path) -> str:
        """Upload a picture, and tell the id of its style, which is the same however often it is sent."""
        try:
            data = picture.read_bytes()
        except OSError as error:
            raise ClientError(f"cannot read {picture} ({error.strerror or error})") from error
        files = {"file": (picture.name, data)}
        return self._patiently(Style, "POST", "/styles", files=files, timeout=_UPLOAD_SECONDS).id

    def job(self, job_id: str) -> Job:
        """Read a job."""
        return self._job("GET", f"/jobs/{quote(job_id, safe='')}")

    def follow(self, job: Job) -> Iterator[Job]:
        """Yield a job whenever there may be news of it, until it has succeeded; raises when it ends otherwise."""
        yield job
        while not job.done:
            asked = time.monotonic()
            headers = {"Prefer": f"wait={_WAIT_SECONDS}"}
            job = self._job("GET", job.links.self_, headers=headers, timeout=_POLL_SECONDS)
            yield job
            if not job.done:
                self.pause(max(0.0, asked + _LEAST_BETWEEN_POLLS_SECONDS - time.monotonic()))
        if job.state != "succeeded":
            reason = f"the job {job.state}: {job.error.message}" if job.error else f"the job was {job.state}"
            raise JobLostError(reason)

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """GET what is read in pieces: a success, or the refusal of a range. Raises also when it breaks while read."""
        with self._translated(), self._http.stream("GET", path, headers=headers) as response:
            if not response.is_success and response.status_code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                response.read()
                raise _refusal(response)
            yield response

    def _job(self, method: str, path: str, **options: Any) -> Job:  # noqa: ANN401
        return self._patiently(Job, method, path, **options)

    def _patiently(self, kind: type[A], method: str, path: str, **options: Any) -> A:  # noqa: ANN401
        """Send a request, which must be one that may be repeated, again and again while patience lasts."""
        deadline: float | None = None  # counted from the first failure: a lost answer may have taken long
        while True:
            try:
                return self._asked(kind, method, path, **options)
            except ClientError as error:
                wait, now = error.retry_after_seconds, time.monotonic()
                if wait is None or now + wait > (deadline or now + _PATIENCE_SECONDS):
                    raise
                if deadline is None:
                    deadline = now + _PATIENCE_SECONDS
                    self.say(f"{error}; trying again for {_PATIENCE_SECONDS} s")
            self.pause(wait)

    def _asked(self, kind: type[A], method: str, path: str, **options: Any) -> A:  # noqa: ANN401
        with self._translated():
            response = self._http.request(method, path, **options)
        if not response.is_success:
            raise _refusal(response)
        try:
            answer = kind.model_validate_json(response.content)
        except ValidationError as error:
            raise ClientError(f"what answers at {self.server} is not imagemill") from error
        return self._located(answer, str(response.url))

    def _located(self, answer: A, asked: str) -> A:
        """Turn the links of a job into URLs. Raises ClientError when they lead elsewhere: the key is for one server."""
        if not isinstance(answer, Job):
            return answer
        links = answer.links.resolved(asked, str(self._http.base_url))
        for url in (links.self_, links.download):
            if not is_of(url, asked):
                raise ClientError(f"{self.server} links to another server: {url}")
        return answer.model_copy(update={"links": links})

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            sentence = f"the connection to {self.server} failed ({reason})"
            raise ClientError(sentence, retry_after_seconds=_RECONNECT_SECONDS) from error
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise ClientError(f"the request to {self.server} failed ({error})") from error


def _checked(server: str) -> httpx.URL:
    try:
        url = httpx.URL(server)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise ClientError(f"the server must be an address like http://127.0.0.1:8000, got {server!r}")
    return url


def _authorization(key: str | None) -> dict[str, str]:
    """Make the header that shows a key; one that no header can carry is not repeated in an error."""
    if not key:
        return {}
    if not _KEY.fullmatch(key):
        raise ClientError("what is in IMAGEMILL_KEY is no key: it holds characters that no key has")
    return {"Authorization": f"Bearer {key}"}


def _refusal(response: httpx.Response) -> ClientError:
    """Put into words why a server did not do what it was asked for."""
    wait = _retry_after(response)
    try:
        sentence = Problem.model_validate_json(response.content).detail
    except ValidationError:
        sentence = f"the server answered {response.status_code} {response.reason_phrase}".rstrip()
        return ClientError(sentence, retry_after_seconds=wait)
    is_lost = wait is None and response.status_code in _LOST
    return JobLostError(sentence) if is_lost else ClientError(sentence, retry_after_seconds=wait)


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("Retry-After")
    if value is None:
        return _RETRY_SECONDS if response.status_code in _GATEWAY else None
    return int(value) if _SECONDS.fullmatch(value) else _RETRY_SECONDS
