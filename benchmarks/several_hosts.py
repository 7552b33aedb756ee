"""`python -m benchmarks.several_hosts --modes all`: faults of one host of several, on a real S3 server.

API and two workers share a bucket. The second worker has its own way to the bucket and to the queue server: a long
one, one that is cut, or one with wrong credentials or a wrong clock. A job must succeed with the bytes of a quiet run,
and the readiness endpoint must list a worker that cannot work.
"""

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from benchmarks import table
from benchmarks.command import choose_modes, console, run
from tests.integration.running_service import RunningService
from tests.s3 import BUCKET, S3Server
from tests.slow_link import SlowLink

_FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
"""Library of Debian's package faketime, which changes the clock of one process."""
_CLOCK = {"LD_PRELOAD": str(_FAKETIME), "FAKETIME": "+1h", "DONT_FAKE_MONOTONIC": "1"}
_UNABLE: Mapping[str, Mapping[str, str]] = {
    "wrong-secret": {"AWS_SECRET_ACCESS_KEY": "wrong"},
    "unknown-key": {"AWS_ACCESS_KEY_ID": "unknown"},
    "expired-token": {"AWS_ACCESS_KEY_ID": "ASIAEXPIRED", "AWS_SESSION_TOKEN": "expired"},
    "missing-bucket": {"IMAGEMILL_STORE": "s3://missing/store"},
    "clock-an-hour-off": _CLOCK,
}
"""Variables of a second worker that cannot use the store."""
_LINKS = ("none", "latency", "cut")
_MODES = (*_LINKS, *_UNABLE)
_CUT_SECONDS = 40.0
_REASON_CHARACTERS = 60


class Outcome(NamedTuple):
    """The result of one job."""

    mode: str
    state: str
    has_same_bytes: bool
    seconds: float
    paused: str
    """Reason why a worker takes no tasks, as /readyz reports it."""

    @property
    def is_well(self) -> bool:
        """Return whether the job succeeded with the right bytes, and an unable worker was reported."""
        return self.has_same_bytes and (bool(self.paused) == (self.mode in _UNABLE))


def main(
    modes: Annotated[str, typer.Option(help=f"all, or some of {','.join(_MODES)}.")] = "all",
    n: Annotated[int, typer.Option(min=1, help="Images of a job.")] = 10_000,
    delay_ms: Annotated[int, typer.Option(min=0, help="Round trip to Redis and S3 in the mode latency.")] = 200,
) -> None:
    """Print a table: for each mode the state of the job, whether its bytes are right, seconds, and paused workers."""
    chosen = choose_modes(modes, _MODES)
    outcomes = list[Outcome]()
    with tempfile.TemporaryDirectory() as folder, S3Server(Path(folder, "s3")) as s3:
        expected = _archive_of_local_disk(Path(folder, "local"), n)
        for mode in chosen:
            if mode == "clock-an-hour-off" and not _FAKETIME.exists():
                console.print("clock-an-hour-off was left out: there is no libfaketime (Debian's package faketime)")
                continue
            outcomes.append(_run(Path(folder, mode), s3, mode, n, delay_ms / 2000, expected))
    rows = [
        (each.mode, each.state, str(each.has_same_bytes), f"{each.seconds:.1f}", f"{n / each.seconds:.0f}", each.paused)
        for each in outcomes
    ]
    console.print(table.markdown(("mode", "job", "same bytes", "seconds", "images/s", "paused worker"), rows))
    raise typer.Exit(0 if all(each.is_well for each in outcomes) else 1)


@contextmanager
def _running_service(folder: Path, **environment: str) -> Iterator[RunningService]:
    folder.mkdir()
    settings = {"IMAGEMILL_DEFAULT_MODEL": "faces-64", "IMAGEMILL_SHARD_IMAGES": "", "IMAGEMILL_MODELS": ""}
    service = RunningService(folder, **settings, **environment)
    try:
        yield service
    finally:
        service.close()


def _archive_of_local_disk(folder: Path, n: int) -> bytes:
    with _running_service(folder) as service:
        service.start_workers({}, {})
        began = time.monotonic()
        job = service.wait_done(service.generate(n, seed=6)["id"])
        console.print(f"local disk, two workers: {n / (time.monotonic() - began):.0f} images/s")
        return service.download(job["id"])


def _run(folder: Path, s3: S3Server, mode: str, n: int, delay_seconds: float, expected: bytes) -> Outcome:
    with ExitStack() as stack:
        bucket = {"IMAGEMILL_STORE": f"s3://{BUCKET}/{mode}", **s3.environment()}
        service = stack.enter_context(_running_service(folder, **bucket))
        links = [stack.enter_context(SlowLink(port)) for port in (s3.port, service.queue_port)]
        distant = {
            **s3.environment(links[0].port),
            "IMAGEMILL_REDIS_URL": f"redis://127.0.0.1:{links[1].port}",
        }
        # In the mode latency, both workers are far away.
        service.start_workers(distant if mode == "latency" else {}, *([] if mode in _UNABLE else [distant]))
        if mode in _UNABLE:
            service.start_paused_worker(**_UNABLE[mode])
        for link in links:
            link.delay_seconds = delay_seconds if mode == "latency" else 0.0
        began = time.monotonic()
        job_id = service.generate(n, seed=6)["id"]
        if mode == "cut":
            service.wait_rendering(job_id)
            _cut(links)
        job = service.wait_done(job_id)
        seconds = time.monotonic() - began
        reasons = [each["reason"] for each in service.client.get("/readyz").json().get("workers", {}).get("paused", [])]
        is_same = job["state"] == "succeeded" and service.download(job_id) == expected
        return Outcome(mode, job["state"], is_same, seconds, "; ".join(reasons)[:_REASON_CHARACTERS])


def _cut(links: list[SlowLink]) -> None:
    """Cut the second worker off for a while."""
    for link in links:
        link.cut()
    time.sleep(_CUT_SECONDS)
    for link in links:
        link.mend()


if __name__ == "__main__":
    run(main)
