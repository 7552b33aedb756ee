"""`python -m benchmarks.fairness`: what a key has of the service while another one keeps it busy.

The queue server, the API and one worker, all of them real processes with the default model. An owner asks for a dataset
three times: when nobody else is there, while another owner has many jobs of that size open, and while the first owner
has them. Then the same with jobs of a few images.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import httpx
import numpy as np
import typer

from app.auth import api_keys
from benchmarks import table
from benchmarks.command import console, run
from benchmarks.service_processes import WORKER, ServiceProcesses

_DEADLINE_SECONDS = 300
_SHORT = 8
_SHORT_BACKLOG, _SHORT_ASKED = 300, 10


class Owner:
    """Someone with a key."""

    def __init__(self, name: str, file: Path, url: str) -> None:
        secret = api_keys.new_secret()
        api_keys.change(file, lambda known: known.added(api_keys.Caller(owner=name), secret))
        self._api = httpx.Client(
            base_url=url,
            timeout=_DEADLINE_SECONDS,
            trust_env=False,
            headers={"Authorization": f"Bearer {secret}"},
        )

    def post(self, n: int) -> str:
        """Ask for a dataset, and return where its job is."""
        return str(self._api.post("/generate", params={"n": n}).raise_for_status().headers["Location"])

    def seconds(self, n: int) -> float:
        """Ask for a dataset and wait for it."""
        began = time.perf_counter()
        job = self.post(n)
        while not self._api.get(job, headers={"Prefer": "wait=60"}).raise_for_status().json()["done"]:
            pass
        return time.perf_counter() - began

    def rendered(self, jobs: list[str]) -> int:
        """Count the images that some jobs have."""
        return sum(self._api.get(job).raise_for_status().json()["images_done"] for job in jobs)

    def cancel(self, jobs: list[str]) -> None:
        """End some jobs, whether they have ended or not."""
        for job in jobs:
            self._api.post(f"{job}/cancel")


def main(
    n: Annotated[int, typer.Option(min=1, help="Images of a long job.")] = 4000,
    jobs: Annotated[int, typer.Option(min=1, help="Long jobs that keep the service busy.")] = 20,
) -> None:
    """Run it and print the seconds."""
    with tempfile.TemporaryDirectory(prefix="fairness-") as folder:
        file = Path(folder) / "keys.json"
        api_keys.change(file, lambda none: none)
        with ServiceProcesses(Path(folder), {"IMAGEMILL_KEYS": str(file), "IMAGEMILL_MIN_FREE_MB": "0"}) as service:
            few, many = (Owner(name, file, service.url) for name in ("few", "many"))
            service.start_workers(1, WORKER, {})
            few.seconds(n)  # once for nothing: memory and clocks get going
            rows = [
                _row(f"{n} images, beside {jobs} such jobs", few, many, jobs, lambda owner: owner.seconds(n), n),
                _row(
                    f"{_SHORT} images, beside {_SHORT_BACKLOG} such jobs",
                    few,
                    many,
                    _SHORT_BACKLOG,
                    lambda owner: float(np.median([owner.seconds(_SHORT) for _ in range(_SHORT_ASKED)])),
                    _SHORT,
                ),
            ]
    console.print(table.markdown(("seconds for", "nobody's", "another key's", "its own"), rows))


def _row(name: str, few: Owner, many: Owner, backlog: int, asked: Callable[[Owner], float], n: int) -> tuple[str, ...]:
    alone = asked(few)
    found = []
    for owner in (many, few):
        waiting = [owner.post(n) for _ in range(backlog)]
        before = owner.rendered(waiting)
        seconds = asked(few)
        console.print(f"{name}: the others had {owner.rendered(waiting) - before} images meanwhile")
        owner.cancel(waiting)
        found.append(seconds)
    return (name, *(f"{value:.3g}" for value in (alone, *found)))


if __name__ == "__main__":
    run(main)
