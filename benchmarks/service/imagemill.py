"""The engine `imagemill`: one request, answered with the archive, which grows while the job runs."""

import httpx

from benchmarks.service.answer import Answer
from benchmarks.service.client import fetch

_MODEL = "faces-64"


def ask(client: httpx.Client, n: int) -> Answer:
    """Generate n images, and download them."""
    headers = {"Accept": "application/zip"}
    return fetch(client, client.build_request("POST", "/generate", params={"n": n, "model": _MODEL}, headers=headers))
