"""The client for every engine: reads a streamed answer, and takes the times of its first and last bytes."""

import time

import httpx

from benchmarks.service.answer import Answer

_TIMEOUT_SECONDS = 1800


def connect(url: str) -> httpx.Client:
    """Open a client with a persistent connection and a time limit for 10 000 images."""
    return httpx.Client(base_url=url, timeout=_TIMEOUT_SECONDS, trust_env=False)


def fetch(client: httpx.Client, request: httpx.Request) -> Answer:
    """Send a request and read the body of its answer. Times count from the call.

    Raises httpx.HTTPStatusError for an error status, after the body is read.
    """
    began = time.perf_counter()
    response = client.send(request, stream=True)
    try:
        if response.is_error:
            response.read()
            response.raise_for_status()
        first_s, chunks = None, []
        for chunk in response.iter_raw():
            first_s = first_s or time.perf_counter() - began
            chunks.append(chunk)
        last_s = time.perf_counter() - began
    finally:
        response.close()
    return Answer(first_s or last_s, last_s, b"".join(chunks), dict(response.headers))
