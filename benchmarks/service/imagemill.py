"""The engine `imagemill` as its user asks it: a job, and its archive as soon as that can be had."""

import time
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import httpx

from benchmarks.service.answer import Answer, AnswerError
from benchmarks.service.client import fetch

_MODEL = "faces-64"
_POLL_SECONDS = 0.02


def ask(client: httpx.Client, n: int) -> Answer:
    """Have n images generated and download them at once; if the archive is not to be had yet, wait for it."""
    began = time.perf_counter()
    job = client.post("/generate", params={"n": n, "model": _MODEL}).raise_for_status().json()
    download = client.build_request("GET", job["links"]["download"])
    try:
        return fetch(client, download, began)
    except httpx.HTTPStatusError as error:
        if not _is_not_ready(error.response):
            raise
    first_s = _wait_for_first(client, job, began)
    _wait_for_end(client, job)
    return replace(fetch(client, download, began), first_s=first_s)


def _wait_for_first(client: httpx.Client, job: dict[str, Any], began: float) -> float:
    path = job["links"]["image"].replace("{index}", "0")
    while _is_not_ready(response := client.get(path)):
        time.sleep(_POLL_SECONDS)
    response.raise_for_status()
    return time.perf_counter() - began


def _wait_for_end(client: httpx.Client, job: dict[str, Any]) -> None:
    while not job["done"]:
        time.sleep(_POLL_SECONDS)
        job = client.get(job["links"]["self"]).raise_for_status().json()
    if job["state"] != "succeeded":
        raise AnswerError(f"the job has {job['state']}: {job['error']}")


def _is_not_ready(response: httpx.Response) -> bool:
    return response.status_code == HTTPStatus.CONFLICT and response.json()["code"] == "not_ready"
