"""`python -m benchmarks.fairness`: the speed that one API key gets while another key keeps the service busy.

Queue server, API and one worker are real processes with the default model. An owner requests a dataset three times:
alone, while another owner has many open jobs of that size, and while the same owner has them. Then the measurement is
repeated with jobs of a few images.
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
    """A caller with an API key."""

    def __init__(self, name: str, file: Path, url: str) -> None:
        secret = api_keys.new_secret()
        api_keys.change_keys(file, lambda known: known.with_key(api_keys.Caller(owner=name), secret))
        self._api = httpx.Client(
            base_url=url,
            timeout=_DEADLINE_SECONDS,
            trust_env=False,
            headers={"Authorization": f"Bearer {secret}"},
        )

    def post(self, n: int) -> str:
        """Post a job, and return its address."""
        return str(self._api.post("/generate", params={"n": n}).raise_for_status().headers["Location"])

    def seconds(self, n: int) -> float:
        """Post a job, wait for its end, and return the seconds."""
        began = time.perf_counter()
        job = self.post(n)
        while not self._api.get(job, headers={"Prefer": "wait=60"}).raise_for_status().json()["done"]:
            pass
        return time.perf_counter() - began

    def rendered(self, jobs: list[str]) -> int:
        """Count the rendered images of some jobs."""
        return sum(self._api.get(job).raise_for_status().json()["images_done"] for job in jobs)

    def cancel(self, jobs: list[str]) -> None:
        """Cancel some jobs. Jobs that have ended stay as they are."""
        for job in jobs:
            self._api.post(f"{job}/cancel")


def main(
    n: Annotated[int, typer.Option(min=1, help="Images of a long job.")] = 4000,
    jobs: Annotated[int, typer.Option(min=1, help="Long jobs that keep the service busy.")] = 20,
) -> None:
    """Run the measurement, and print the seconds."""
    with tempfile.TemporaryDirectory(prefix="fairness-") as folder:
        file = Path(folder) / "keys.json"
        api_keys.change_keys(file, lambda none: none)
        with ServiceProcesses(Path(folder), {"IMAGEMILL_KEYS": str(file), "IMAGEMILL_MIN_FREE_MB": "0"}) as service:
            few, many = (Owner(name, file, service.url) for name in ("few", "many"))
            service.start_workers(1, WORKER, {})
            few.seconds(n)  # warm up: the first job is slower
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
    console.print(table.markdown(("seconds for", "alone", "beside another key", "beside the same key"), rows))


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
