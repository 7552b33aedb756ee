"""`python -m benchmarks.soak --minutes M`: posts small and large jobs, while a worker is killed repeatedly.

Queue server, API and two workers are real processes with a tiny model. One worker is killed every few seconds and
started again. The other one continues. Small jobs of 1 to 64 images and eight jobs of 20 000 images are posted, evenly
over the time.

Nothing may be lost: each accepted job has all its images, each with the sha256 of the undisturbed run, in one archive,
and the store has no other objects. Memory may not grow: the table has the median memory of the other processes in each
quarter of the time.
"""

import signal
import tempfile
import threading
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from benchmarks import table
from benchmarks.command import console, run
from benchmarks.reliability.service_under_test import ServiceUnderTest
from benchmarks.service import processes
from tests.tiny import PLAIN, save_checkpoint

_LARGE, _LARGE_JOBS = 20_000, 8
_SMALL_SIZES = (1, 8, 16, 40, 64)
_KEPT, _KILLED = "worker 1", "worker 2"
_SAMPLE_SECONDS = 1.0
_BACKLOG_SECONDS = 600
"""Longest wait for the jobs that were queued while workers were killed."""
_HEAD = ("MB resident", "first quarter", "second", "third", "last quarter")
_PARTS = ("api", "queue", _KEPT)


@dataclass
class WorkerKiller:
    """Kills one of two workers repeatedly, and samples the memory of the other processes, in a thread of its own."""

    service: ServiceUnderTest
    every_seconds: float
    kills: int = 0
    rss_mb: dict[str, list[float]] = field(default_factory=lambda: {part: [] for part in _PARTS})
    _known: set[str] = field(default_factory=set)
    _over: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        """Kill and sample until `stop` is called."""
        due = time.monotonic() + self.every_seconds
        while not self._over.wait(_SAMPLE_SECONDS):
            for part in _PARTS:
                self.rss_mb[part].append(processes.rss_mb(self.service.process(part).pid))
            if time.monotonic() > due and self._is_back():
                due = time.monotonic() + self.every_seconds
                self._kill()
                self.kills += 1

    def stop(self) -> None:
        """End the thread."""
        self._over.set()

    def _is_back(self) -> bool:
        """Return whether the last started worker has registered."""
        return bool(self._workers() - self._known)

    def _workers(self) -> set[str]:
        return {worker.name for worker in self.service.live.workers()}

    def _kill(self) -> None:
        self._known = self._workers()
        self.service.send_signal(_KILLED, signal.SIGKILL)
        self.service.wait_ended(_KILLED)
        self.service.start_worker(_KILLED)


def main(
    minutes: Annotated[float, typer.Option(min=0.1, help="For which jobs are posted.")] = 10,
    jobs: Annotated[int, typer.Option(min=8, help="Small jobs.")] = 2000,
    kill_every_seconds: Annotated[float, typer.Option(min=1, help="Between two kills.")] = 5,
) -> None:
    """Run the soak, and print its results."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        models = Path(folder) / "models"
        models.mkdir()
        save_checkpoint(models, PLAIN)
        with ServiceUnderTest(Path(folder), models, PLAIN, most=_LARGE) as service:
            service.start_worker(_KILLED)
            killer = WorkerKiller(service, kill_every_seconds)
            thread = threading.Thread(target=killer.work)
            thread.start()
            try:
                accepted = _post(service, jobs, minutes * 60)
            finally:
                killer.stop()
                thread.join()
            _report(service, killer, accepted)


def _post(service: ServiceUnderTest, jobs: int, seconds: float) -> list[tuple[str, int]]:
    """Post jobs evenly over some seconds."""
    began, accepted = time.monotonic(), []
    for number in range(jobs):
        if number % (jobs // _LARGE_JOBS) == 0:
            accepted.append((service.submit(_LARGE), _LARGE))
        n = _SMALL_SIZES[number % len(_SMALL_SIZES)]
        accepted.append((service.submit(n), n))
        time.sleep(max(0.0, began + seconds * number / jobs - time.monotonic()))
    return accepted


def _report(service: ServiceUnderTest, killer: WorkerKiller, accepted: list[tuple[str, int]]) -> None:
    undone = time.monotonic()
    for job_id, _ in accepted:
        service.wait_done(job_id, _BACKLOG_SECONDS)
    seconds = time.monotonic() - undone
    for job_id, n in accepted:
        service.inspect(job_id, n)  # raises if anything is lost, doubled or left behind
    images = sum(n for _, n in accepted)
    console.print(f"{len(accepted)} jobs, {images} images, {killer.kills} kills; nothing lost, nothing doubled.")
    console.print(f"The last job ended {seconds:.1f} s after the last kill.\n")
    console.print(table.markdown(_HEAD, [_quarters(part, killer.rss_mb[part]) for part in _PARTS]))


def _quarters(part: str, samples: list[float]) -> tuple[str, ...]:
    cuts = [len(samples) * k // 4 for k in range(5)]
    return (part, *(f"{median(samples[a:b] or [0.0]):.1f}" for a, b in pairwise(cuts)))


if __name__ == "__main__":
    run(main)
