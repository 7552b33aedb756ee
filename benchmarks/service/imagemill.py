"""The engines `imagemill` (one request for an archive, which grows while the job runs) and `imagemill-address`."""

import io
import secrets
import time
import zipfile

import httpx

from benchmarks.service.answer import Answer
from benchmarks.service.client import fetch

_MODEL = "faces-64"


def ask(client: httpx.Client, n: int) -> Answer:
    """Generate n images, and download them."""
    headers = {"Accept": "application/zip"}
    return fetch(client, client.build_request("POST", "/generate", params={"n": n, "model": _MODEL}, headers=headers))


def ask_by_address(client: httpx.Client, n: int) -> Answer:
    """Request the first n images of a random seed by their addresses, one after the other, without a job.

    They are put into a ZIP for the check, after the times were taken.
    """
    began, seed = time.perf_counter(), secrets.randbelow(2**53)
    paths = [f"/images/{_MODEL}/{seed}/{index}.png" for index in range(n)]
    found = [fetch(client, client.build_request("GET", path)) for path in paths]
    last_s = time.perf_counter() - began
    return Answer(found[0].first_s, last_s, _zip([each.archive for each in found]), found[0].headers)


def _zip(images: list[bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number, image in enumerate(images):
            archive.writestr(f"{number}.png", image)
    return file.getvalue()
