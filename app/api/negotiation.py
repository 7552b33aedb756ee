"""Parses the request headers Accept, Prefer, If-Match and If-None-Match."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from urllib.request import parse_http_list

from starlette.requests import Request

from app.errors import ApiError, quote_value
from app.jobs.watcher import MAX_WAIT_SECONDS

# The parts of a media type before q may contain other parameters.
_WEIGHT = re.compile(r";\s*q\s*=\s*(\d(?:\.\d{0,3})?)\s*(?:;|$)", re.ASCII | re.IGNORECASE)
_WAIT = re.compile(r"wait ?= ?\"?(\d{1,300})\"? ?(?:;.*)?", re.ASCII | re.IGNORECASE | re.DOTALL)


def preferred_wait(headers: Iterable[str]) -> int:
    """Return the seconds of `wait=N` in Prefer headers, at most MAX_WAIT_SECONDS (RFC 7240, section 4.3)."""
    for preference in parse_http_list(",".join(headers)):
        match = _WAIT.fullmatch(preference)
        if match:
            return int(min(float(match[1]), MAX_WAIT_SECONDS))
    return 0


def matches_if_none_match(etag: str, request: Request) -> bool:
    """Return whether If-None-Match of a GET or HEAD request lists an ETag.

    Weak ETags match strong ones (RFC 9110, section 13.1.2).
    """
    if request.method not in ("GET", "HEAD"):
        return False
    etags = ",".join(request.headers.getlist("If-None-Match")).split(",")
    return any(tag.strip().removeprefix("W/") in (etag, "*") for tag in etags)


def check_if_match(etag: str, request: Request) -> None:
    """Raise ApiError 412 if a GET or HEAD request has If-Match without this ETag (RFC 9110, section 13.1.1)."""
    headers = request.headers.getlist("If-Match")
    etags = {tag.strip() for tag in ",".join(headers).split(",")}
    if headers and request.method in ("GET", "HEAD") and not etags & {etag, "*"}:
        detail = f"If-Match: the ETag is {etag}, got {quote_value(', '.join(headers))}"
        raise ApiError(HTTPStatus.PRECONDITION_FAILED, "precondition_failed", detail)


def wants_archive(headers: Iterable[str], media_type: str) -> bool:
    """Return whether Accept headers prefer an archive of a media type to JSON.

    JSON wins a tie if it is named. For each type, the most specific entry counts (RFC 9110, section 12.5.1).
    """
    weights = dict[str, float]()
    for media in parse_http_list(",".join(headers)):
        weight = _WEIGHT.search(media)
        weights[media.partition(";")[0].strip().lower()] = float(weight[1]) if weight else 1.0
    archive, json = weights.get(media_type, 0.0), weights.get("application/json")
    if json is not None:
        return archive > json
    # JSON has the weight of a wildcard here. The archive wins a tie with it, because only its type is named.
    return archive > 0 and archive >= weights.get("application/*", weights.get("*/*", 0.0))
