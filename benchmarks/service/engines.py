"""All engines of the comparison, in the order of the tables."""

from dataclasses import replace
from pathlib import Path

import httpx

from benchmarks.service import imagemill
from benchmarks.service.answer import Answer
from benchmarks.service.client import fetch
from benchmarks.service.engine import Engine
from imagemill.start import command


def own() -> list[Engine]:
    """List the engines that need nothing but this project's environment."""
    uvicorn = ("-m", "uvicorn", "--factory", "--host", "127.0.0.1", "--port", "{port}", "--log-level", "warning")
    up = tuple(command("up", "--workers", "1", "--port", "{port}", "--data", "{folder}/data")[1:])
    return [
        Engine("bare", ("-m", "benchmarks.service.bare", "{port}"), "/?n=1", _ask_bare),
        Engine("imagemill", up, "/readyz", imagemill.ask),
        Engine("imagemill-address", up, "/readyz", imagemill.ask_by_address, max_images=1),
        Engine("naive", (*uvicorn, "benchmarks.service.naive:create_app"), "/openapi.json", _ask_naive),
    ]


def peers(python: Path) -> list[Engine]:
    """List the engines that run in the peers' environment, with its interpreter."""
    service = "benchmarks.service.bentoml_peer:Faces"
    bentoml = ("-m", "bentoml", "serve", service, "--host", "127.0.0.1", "--port", "{port}")
    quiet = {"BENTOML_HOME": "{folder}/bentoml", "BENTOML_DO_NOT_TRACK": "True"}
    litserve = ("-m", "benchmarks.service.litserve_peer", "{port}")
    return [
        Engine("litserve", litserve, "/health", _ask_litserve, str(python)),
        Engine("bentoml", bentoml, "/readyz", _ask_bentoml, str(python), quiet),
    ]


def _ask_bare(client: httpx.Client, n: int) -> Answer:
    answer = fetch(client, client.build_request("GET", "/", params={"n": n}))
    first_s, last_s = float(answer.headers["x-first"]), float(answer.headers["x-last"])
    return replace(answer, first_s=first_s, last_s=last_s, note=answer.headers["x-note"])


def _ask_naive(client: httpx.Client, n: int) -> Answer:
    return fetch(client, client.build_request("POST", "/generate", params={"n": n}))


def _ask_litserve(client: httpx.Client, n: int) -> Answer:
    return fetch(client, client.build_request("POST", "/predict", json={"n": n}))


def _ask_bentoml(client: httpx.Client, n: int) -> Answer:
    return fetch(client, client.build_request("POST", "/generate", json={"n": n}))
