"""`python -m benchmarks.selection`: the time of a job with a quality gate, compared with a job without one.

One worker renders n images of the model faces-64 with and without `keep`, in turn. The gate has random weights and the
size of a real one. Wall time counts from the request to the end of the job. CPU time is that of the worker; it hardly
depends on other programs of the machine. A shard has 256 images, as on a worker that has not measured its speed.
"""

import shutil
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Annotated

import httpx
import typer

from benchmarks import table
from benchmarks.command import console, run
from benchmarks.service_processes import WORKER, ServiceProcesses
from models import registry
from tests.calibrated_gate import save_calibrated_gate

_MODEL = "faces-64"
_CALIBRATION_IMAGES = 4000
"""With few images, the gate would keep different shares of the classes, and the job would try more candidates."""
_POLL_SECONDS = 0.005


def main(
    n: Annotated[int, typer.Option(min=1, help="Images of a job.")] = 1000,
    keep: Annotated[float, typer.Option(min=0.001, max=0.999, help="Share that the gate keeps.")] = 0.5,
    rounds: Annotated[int, typer.Option(min=1, help="Jobs of each kind.")] = 9,
) -> None:
    """Print the medians of both kinds of jobs, and their quotients."""
    requests: dict[str, dict[str, float]] = {"plain": {}, f"keep={keep:g}": {"keep": keep}}
    found: dict[str, list[tuple[float, float, int]]] = {name: [] for name in requests}
    with tempfile.TemporaryDirectory(prefix="selection-") as folder:
        models = Path(folder) / "models"
        models.mkdir()
        shutil.copy(registry.find(_MODEL), models)
        save_calibrated_gate(models / f"{_MODEL}.safetensors", _CALIBRATION_IMAGES)
        settings = {"IMAGEMILL_MODELS": str(models), "IMAGEMILL_SHARD_IMAGES": "256", "IMAGEMILL_DEVICE": "cpu"}
        with ServiceProcesses(Path(folder), settings) as service, httpx.Client(base_url=service.url) as client:
            service.start_workers(1, WORKER, {})
            _measure(service, client, {"n": 100})  # the first job warms the worker up
            for seed in range(rounds):
                for name, request in requests.items():
                    found[name].append(_measure(service, client, {"n": n, "seed": seed, **request}))
    rows = [(name, *(f"{median(values):.3f}" for values in zip(*each, strict=True))) for name, each in found.items()]
    plain, gated = (list(zip(*each, strict=True)) for each in found.values())
    rows.append(("quotient", *(f"{median(b) / median(a):.2f}" for a, b in zip(plain, gated, strict=True))))
    console.print(table.markdown(("job", "wall s", "CPU s", "candidates tried"), rows))


def _measure(service: ServiceProcesses, client: httpx.Client, request: dict[str, float]) -> tuple[float, float, int]:
    """Run a job. Returns its wall time and the worker's CPU time in seconds, and the number of tried candidates."""
    cpu, began = service.cpu_seconds()["workers"], time.perf_counter()
    job = client.post("/generate", params={"model": _MODEL, **request}).raise_for_status().json()
    while not job["done"]:
        time.sleep(_POLL_SECONDS)
        job = client.get(f"/jobs/{job['id']}").raise_for_status().json()
    wall = time.perf_counter() - began
    return wall, service.cpu_seconds()["workers"] - cpu, job["tried"] or job["n"]


if __name__ == "__main__":
    run(main)
