"""The engine `imagemill` as its user asks it: a job, and its archive at once, which grows while the job runs."""

import time

import httpx

from benchmarks.service.answer import Answer
from benchmarks.service.client import fetch

_MODEL = "faces-64"


def ask(client: httpx.Client, n: int) -> Answer:
    """Have n images generated and download them."""
    began = time.perf_counter()
    job = client.post("/generate", params={"n": n, "model": _MODEL}).raise_for_status().json()
    return fetch(client, client.build_request("GET", job["links"]["download"]), began)
