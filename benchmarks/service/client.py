"""The client's side, the same for every engine: read a streamed answer and note when its first and last bytes came."""

import time

import httpx

from benchmarks.service.answer import Answer

_TIMEOUT_SECONDS = 1800


def connect(url: str) -> httpx.Client:
    """Open a client that keeps its connection and has time for 10 000 images."""
    return httpx.Client(base_url=url, timeout=_TIMEOUT_SECONDS, trust_env=False)


def fetch(client: httpx.Client, request: httpx.Request) -> Answer:
    """Send a request and read its body; times count from now.

    Raises httpx.HTTPStatusError for an answer that is no success, with its body read.
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
