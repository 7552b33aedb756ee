"""Parses responses into objects of the API or errors. All functions are pure."""

import re
from http import HTTPStatus
from typing import TypeVar

import httpx
from pydantic import ValidationError

from app.client.errors import (
    ClientError,
    ConnectionFailedError,
    NotAvailableError,
    RefusedError,
    UnexpectedResponseError,
)
from app.client.links import is_of
from app.client.responses import ApiObject, Job, JobPage, Problem

_RECONNECT_SECONDS = 0.5
_RETRY_SECONDS = 2
_SECONDS = re.compile(r"\d{1,9}", re.ASCII)
_KEY = re.compile(r"[\w.~+/=-]+", re.ASCII)
_NOT_AVAILABLE = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.GONE)
_GATEWAY = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
"""Statuses that a proxy sends while the server behind it restarts."""

A = TypeVar("A", bound=ApiObject)


def base_url(server: str) -> httpx.URL:
    """Check the address of a server. Raises ClientError."""
    try:
        url = httpx.URL(server)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise ClientError(f"the server must be an address like http://127.0.0.1:8000, got {server!r}")
    return url


def key_headers(key: str | None) -> dict[str, str]:
    """Return the header that carries a key. The error for an impossible key does not repeat it."""
    if not key:
        return {}
    if not _KEY.fullmatch(key):
        raise ClientError("the API key holds characters that no key has; check IMAGEMILL_KEY")
    return {"Authorization": f"Bearer {key}"}


def parse(kind: type[A], response: httpx.Response, server: str) -> A:
    """Read an object of the API from a successful response. Raises UnexpectedResponseError."""
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as error:
        raise _not_imagemill(server) from error


def parse_job(response: httpx.Response, server: str) -> Job:
    """Read a job, with its links as full URLs.

    Raises UnexpectedResponseError, also if a link leads to another server, which must not get the key.
    """
    return _with_full_links(parse(Job, response, server), str(response.url), server)


def parse_job_page(response: httpx.Response, server: str) -> JobPage:
    """Read a page of the list of jobs, like `parse_job`."""
    page = parse(JobPage, response, server)
    jobs = [_with_full_links(job, str(response.url), server) for job in page.jobs]
    return page.model_copy(update={"jobs": tuple(jobs)})


def _with_full_links(job: Job, request_url: str, server: str) -> Job:
    # Relative links are resolved against the full URL of the request.
    links = job.links.resolved(request_url, server)
    for url in (links.self_, links.download):
        if not is_of(url, request_url):
            raise UnexpectedResponseError(f"{server} links to another server: {url}")
    return job.model_copy(update={"links": links})


def check_image(response: httpx.Response, server: str) -> None:
    """Raise UnexpectedResponseError if a successful response holds no image."""
    if not response.headers.get("Content-Type", "").startswith("image/"):
        raise _not_imagemill(server)


def is_error(response: httpx.Response) -> bool:
    """Return whether the response to a download is an error. An unsatisfiable range is none: it tells the size."""
    return not response.is_success and response.status_code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE


def refusal(response: httpx.Response) -> ClientError:
    """Return the error that a response means."""
    status, wait = response.status_code, _retry_after(response)
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        sentence = f"the server answered {status} {response.reason_phrase}".rstrip()
        return RefusedError(sentence, status=status, retry_after_seconds=wait)
    kind = NotAvailableError if wait is None and status in _NOT_AVAILABLE else RefusedError
    return kind(problem.detail, code=problem.code, status=status, retryable=problem.retryable, retry_after_seconds=wait)


def connection_error(error: Exception, server: str) -> ClientError:
    """Translate an error of httpx."""
    if isinstance(error, httpx.TransportError):
        reason = str(error) or type(error).__name__
        sentence = f"the connection to {server} failed ({reason})"
        translated: ClientError = ConnectionFailedError(sentence, retry_after_seconds=_RECONNECT_SECONDS)
    else:
        translated = ClientError(f"the request to {server} failed ({error})")
    translated.__cause__ = error
    return translated


def _not_imagemill(server: str) -> UnexpectedResponseError:
    return UnexpectedResponseError(f"the server at {server} is not Imagemill; check the address")


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("Retry-After")
    if value is None:
        return _RETRY_SECONDS if response.status_code in _GATEWAY else None
    return int(value) if _SECONDS.fullmatch(value) else _RETRY_SECONDS
