"""The main job from beginning to end, as a user would do it over HTTP."""

import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from app import output
from app.client import Client, Job
from app.collect import collect
from app.generate import pace, report, teller
from app.ready import wait_until_ready
from app.stack import Stack


def demo(n: int, out: Path, console: Console) -> None:
    """Start a private stack, generate n images with it, save them as a ZIP, and stop it."""
    with output.translated(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    output.check(out)
    with (
        tempfile.TemporaryDirectory(prefix="imagemill-demo-") as folder,
        Stack(Path(folder), "127.0.0.1", 0, workers=1, log_level="warning") as stack,
        Client(stack.url, teller(console), _tending(stack)) as client,
    ):
        wait_until_ready(stack, console)
        began = time.monotonic()
        job = client.generate({"n": n})
        _save(client, job, out, console)
        took = pace(job, began)
    report(job, out, took, console)
    console.print("\nNext: [bold]imagemill up[/] keeps the service running; then, in another terminal:")
    console.print("  imagemill generate -n 1000 --seed 7", highlight=False)


def _tending(stack: Stack) -> Callable[[float], None]:
    """Make a pause of the client in which what has died is started again."""

    def pause(seconds: float) -> None:
        stack.tend()
        time.sleep(seconds)
        stack.tend()

    return pause


def _save(client: Client, job: Job, out: Path, console: Console) -> None:
    """Save a job's archive, and leave nothing when that fails: the job is gone with its stack."""
    try:
        collect(client, job, out, console)
    finally:
        with suppress(OSError):
            output.partial_of(out, job.id).unlink(missing_ok=True)
