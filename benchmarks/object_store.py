"""`python -m benchmarks.object_store --modes all`: jobs on a real S3 server, behind a proxy that fails.

API and two workers share one bucket. In each mode, some jobs are posted and awaited. Their archives are compared with
that of the same job on a local disk. An accepted job that has not succeeded within a minute counts as lost. No archive
may be lost, empty or different.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, NamedTuple

import httpx
import typer

from benchmarks import table
from benchmarks.command import choose_modes, console, run
from tests.fault_proxy import Fault, FaultProxy
from tests.integration.running_service import RunningService
from tests.s3 import BUCKET, S3Server
from tests.tiny import PLAIN, save_checkpoint

_MODES: dict[str, Fault] = {
    "none": "none",
    "503-after-storing": "503 after storing",
    "409-without-storing": "409 without storing",
    "reset-after-storing": "reset after storing",
    "some-503": "some 503",
    "all-503": "all 503",
}
_AWAY = "all-503"
_AWAY_SECONDS = 5.0
"""Seconds for which the proxy refuses every request in the mode all-503."""
_DEADLINE_SECONDS, _POLL_SECONDS = 60.0, 0.05


class Outcome(NamedTuple):
    """The results of the jobs of one mode."""

    mode: str
    faults: int
    jobs: int
    lost: int
    empty: int
    same_bytes: int
    seconds: float

    @property
    def is_well(self) -> bool:
        """Return whether all archives arrived and are identical."""
        return (self.lost, self.empty, self.same_bytes) == (0, 0, self.jobs)


def main(
    modes: Annotated[str, typer.Option(help=f"all, or some of {','.join(_MODES)}.")] = "all",
    jobs: Annotated[int, typer.Option(min=1, help="Jobs of each mode.")] = 5,
    n: Annotated[int, typer.Option(min=1, help="Images of a job.")] = 1000,
) -> None:
    """Print a table: for each mode the faults, the jobs, and the lost, empty and identical archives."""
    chosen = choose_modes(modes, _MODES)
    with tempfile.TemporaryDirectory() as folder, S3Server(Path(folder, "s3")) as s3, FaultProxy(s3.port) as proxy:
        expected = _archive_of_local_disk(Path(folder, "local"), n)
        bucket = {"IMAGEMILL_STORE": f"s3://{BUCKET}/store", **s3.environment(proxy.port)}
        with _running_service(Path(folder, "bucket"), workers=2, **bucket) as service:
            outcomes = [_run(service, proxy, mode, jobs, n, expected) for mode in chosen]
    rows = [(*map(str, outcome[:-1]), f"{outcome.seconds:.1f}") for outcome in outcomes]
    head = ("mode", "faults", "jobs", "lost", "empty archives", "same bytes", "seconds")
    console.print(table.markdown(head, rows))
    raise typer.Exit(0 if all(outcome.is_well for outcome in outcomes) else 1)


@contextmanager
def _running_service(folder: Path, workers: int, **environment: str) -> Iterator[RunningService]:
    folder.mkdir()
    save_checkpoint(folder / "models", PLAIN)
    service = RunningService(folder, **environment)
    try:
        service.start_workers(*({} for _ in range(workers)))
        yield service
    finally:
        service.close()


def _archive_of_local_disk(folder: Path, n: int) -> bytes:
    with _running_service(folder, workers=1) as service:
        return service.download(service.wait_done(service.generate(n, seed=6)["id"])["id"])


def _run(service: RunningService, proxy: FaultProxy, mode: str, jobs: int, n: int, expected: bytes) -> Outcome:
    began, hits = time.monotonic(), proxy.hits
    if mode == _AWAY:
        accepted = [_accepted(service, n) for _ in range(jobs)]
        proxy.fault = _MODES[mode]
        time.sleep(_AWAY_SECONDS)
        proxy.fault = "none"
    else:
        proxy.fault = _MODES[mode]
        accepted = [_accepted(service, n) for _ in range(jobs)]
    archives = [_archive(service, job) for job in accepted]
    proxy.fault = "none"
    lost, empty = archives.count(None), archives.count(b"")
    same = archives.count(expected)
    return Outcome(mode, proxy.hits - hits, jobs, lost, empty, same, time.monotonic() - began)


def _accepted(service: RunningService, n: int) -> str:
    """Repeat the request until it gets a 202."""
    while True:
        answer = service.client.post("/generate", params={"n": n, "seed": 6})
        if answer.status_code == HTTPStatus.ACCEPTED:
            return str(answer.json()["id"])
        time.sleep(_POLL_SECONDS)


def _archive(service: RunningService, job_id: str) -> bytes | None:
    """Download the archive of a job. Returns None if the job does not succeed, no bytes if the archive breaks off."""
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while time.monotonic() < deadline:
        answer = service.client.get(f"/jobs/{job_id}")
        if answer.is_success and answer.json()["state"] == "succeeded":
            return _downloaded(service, job_id)
        time.sleep(_POLL_SECONDS)
    return None


def _downloaded(service: RunningService, job_id: str) -> bytes:
    with suppress(httpx.TransportError):
        answer = service.client.get(f"/jobs/{job_id}/download")
        return answer.content if answer.is_success else b""
    return b""


if __name__ == "__main__":
    run(main)
