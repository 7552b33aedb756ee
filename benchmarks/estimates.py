"""`python -m benchmarks.estimates`: compares the estimates of 30 mixed jobs with the jobs, on an idle service.

One worker renders with the shipped models. The first job comes as soon as the worker has announced its costs. Each job
is estimated, then run. Seconds count from the request to the end of the job, bytes are those of its archive. With
`--vgg19` and `--style`, some jobs are styled.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from benchmarks import table
from benchmarks.command import console, run
from benchmarks.service_processes import WORKER, ServiceProcesses

_MAX_BYTES_ERROR, _MAX_SECONDS_FACTOR = 0.1, 1.5
_WAIT_SECONDS, _POLL_SECONDS = 60, 0.02
_STYLED = (
    {"n": 8, "style_steps": 40},
    {"n": 30, "style_steps": 10},
    {"n": 200, "style_mode": "distilled", "style_steps": 20},
    {"n": 500, "style_mode": "distilled", "style_steps": 20},
)
_PLAIN: tuple[dict[str, Any], ...] = (
    {"n": 500},
    {"n": 1},
    {"n": 2, "model": "emoji-64", "format": "webp"},
    {"n": 5000},
    {"n": 1, "format": "jpeg"},
    {"n": 16, "format": "webp"},
    {"n": 100, "format": "npz"},
    {"n": 3000, "format": "npz"},
    {"n": 5000, "format": "jpeg"},
    {"n": 1000, "format": "webp", "layout": "webdataset"},
    {"n": 50, "class": "modern"},
    {"n": 1500, "class": "modern", "format": "jpeg"},
    {"classes": "modern:400,19th-century:100"},
    {"classes": "modern:30,early-20th:3", "format": "webp"},
    {"n": 500, "keep": 0.5},
    {"n": 10, "keep": 0.5, "format": "webp"},
    {"n": 1000, "keep": 0.1},
    {"n": 200, "keep": 0.05, "format": "jpeg"},
    {"n": 3000, "keep": 0.8},
    {"n": 700, "distinct": 2},
    {"n": 700, "copies": "drop"},
    {"n": 700, "keep": 0.5, "copies": "drop", "distinct": 2},
    {"n": 500, "model": "emoji-64"},
    {"n": 5000, "model": "emoji-64"},
    {"n": 1000, "model": "emoji-64", "format": "jpeg"},
    {"n": 1000, "model": "emoji-64", "format": "webp", "class": "flags"},
    {"n": 600, "model": "emoji-64", "keep": 0.3, "layout": "parquet"},
    {"n": 30, "model": "emoji-64"},
    {"n": 250, "model": "emoji-64", "distinct": 2},
    {"n": 1, "keep": 0.5},
)


def main(
    rounds: Annotated[int, typer.Option(min=1, help="Number of times that all jobs are run.")] = 1,
    vgg19: Annotated[Path | None, typer.Option(help="Weights of VGG19, for styled jobs.")] = None,
    style: Annotated[Path | None, typer.Option(help="Style image, for styled jobs.")] = None,
) -> None:
    """Print the estimate and the figures of each job, and the number of jobs within the bounds."""
    settings = {} if vgg19 is None else {"IMAGEMILL_VGG19": str(vgg19.resolve())}
    with (
        tempfile.TemporaryDirectory(prefix="estimates-") as folder,
        ServiceProcesses(Path(folder), settings) as service,
        httpx.Client(base_url=service.url, timeout=2 * _WAIT_SECONDS) as client,
    ):
        service.start_workers(1, WORKER, {})
        _wait_for_costs(client)
        rows = [_compare(client, request) for request in _requests(client, style, rounds)]
    known = [row for row in rows if row is not None]
    console.print(table.markdown(("job", "bytes", "estimate", "ratio", "seconds", "estimate", "ratio"), known))
    bytes_hits = sum(abs(float(row[3]) - 1) <= _MAX_BYTES_ERROR for row in known)
    seconds_hits = sum(1 / _MAX_SECONDS_FACTOR <= float(row[6]) <= _MAX_SECONDS_FACTOR for row in known)
    console.print(f"within 10 % of the bytes: {bytes_hits} of {len(known)}")
    console.print(
        f"within a factor of 1.5 of the seconds: {seconds_hits} of {len(known)}; load {os.getloadavg()[0]:.1f}"
    )


def _requests(client: httpx.Client, style: Path | None, rounds: int) -> Iterator[dict[str, Any]]:
    for number in range(rounds):
        yield from ({**request, "seed": 1000 * number + k} for k, request in enumerate(_PLAIN))
    if style is not None:
        uploaded = client.post("/styles", files={"file": style.read_bytes()}).raise_for_status().json()
        yield from ({**request, "style": uploaded["id"]} for request in _STYLED)


def _wait_for_costs(client: httpx.Client) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    models = [model["name"] for model in client.get("/models").raise_for_status().json()["models"]]
    while any(client.post("/estimate", params={"n": 1, "model": name}).json()["seconds"] is None for name in models):
        if time.monotonic() > deadline:
            raise TimeoutError("no worker has announced its costs")
        time.sleep(_POLL_SECONDS)


def _compare(client: httpx.Client, request: dict[str, Any]) -> tuple[str, ...] | None:
    """Estimate and run a job. Returns its row of the table; None if the service does not know its seconds."""
    began = time.perf_counter()
    estimate = client.post("/estimate", params=request).raise_for_status().json()
    asked = time.perf_counter() - began
    began = time.perf_counter()
    job = (
        client.post("/generate", params=request, headers={"Prefer": f"wait={_WAIT_SECONDS}"}).raise_for_status().json()
    )
    while not job["done"]:
        wait = {"Prefer": f"wait={_WAIT_SECONDS}"}
        job = client.get(job["links"]["self"], headers=wait).raise_for_status().json()
    seconds = time.perf_counter() - began
    size = int(client.head(job["links"]["download"]).raise_for_status().headers["Content-Length"])
    name = " ".join(f"{key}={str(value)[:24]}" for key, value in request.items() if key not in ("seed", "style"))
    console.print(f"{name}: {job['state']}, estimate took {1000 * asked:.1f} ms, parts {estimate['seconds']}")
    if estimate["seconds"] is None:
        return None
    expected_bytes, expected = estimate["bytes"]["expected"], estimate["seconds"]["total"]
    sizes = (str(size), str(expected_bytes), f"{expected_bytes / size:.3f}")
    return (name, *sizes, f"{seconds:.4f}", f"{expected:.4f}", f"{expected / seconds:.2f}")


if __name__ == "__main__":
    run(main)
