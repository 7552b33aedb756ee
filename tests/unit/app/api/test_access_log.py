import logging

import pytest

from app.api.access_log import QuietHealthChecks


def is_written(path: str, status: int) -> bool:
    fields = ("127.0.0.1:1", "GET", path, "1.1", status)
    return QuietHealthChecks().filter(
        logging.LogRecord("uvicorn.access", 20, "", 0, '%s - "%s %s HTTP/%s" %d', fields, None)
    )


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/healthz?verbose=1", "/prefix/healthz"])
def test_a_probe_is_logged_only_when_it_fails(path: str) -> None:
    assert not is_written(path, 200)
    assert is_written(path, 503)


def test_other_requests_are_logged() -> None:
    assert is_written("/jobs/healthz-1", 200)
    assert is_written("/generate?x=/healthz", 202)
