"""The main job from beginning to end, as a user would do it over HTTP."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import httpx
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.stack import Stack, StackError

_READY_SECONDS = 60
_ANSWER_SECONDS = 2
_POLL_SECONDS = 0.1


def demo(n: int, out: Path, console: Console) -> None:
    """Start a private stack, generate n images with it, save them as a ZIP, and stop it."""
    with (
        _written_whole(out) as file,
        tempfile.TemporaryDirectory(prefix="imagemill-demo-") as folder,
        Stack(Path(folder), "127.0.0.1", 0, workers=1, log_level="warning") as stack,
        httpx.Client(base_url=stack.url, timeout=60) as client,
    ):
        wait_until_ready(stack, console)
        began = time.monotonic()
        try:
            job = _body(client.post("/generate", params={"n": n}))
            job = _follow(client, stack, job, console)
            _download(client, job["links"]["download"], file)
        except httpx.HTTPError as error:
            raise StackError(f"the API broke off: {error}") from error
        seconds = time.monotonic() - began
    _report(job, out, seconds, console)


def wait_until_ready(stack: Stack, console: Console) -> None:
    """Wait until a job would be rendered; raises StackError when that takes too long."""
    deadline = time.monotonic() + _READY_SECONDS
    with console.status("Starting the queue, the API and a worker"):
        while not _is_ready(stack.url):
            if time.monotonic() > deadline:
                raise StackError(f"the service was not ready after {_READY_SECONDS} s; its messages are above")
            stack.tend()
            time.sleep(_POLL_SECONDS)


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5).is_success
    except httpx.TransportError:
        return False


def _follow(client: httpx.Client, stack: Stack, job: dict[str, Any], console: Console) -> dict[str, Any]:
    columns = (TextColumn("Rendering"), BarColumn(), MofNCompleteColumn(), TextColumn("images"), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("Rendering", total=job["images_total"])
        while not job["done"]:
            time.sleep(_POLL_SECONDS)
            stack.tend()
            with suppress(httpx.TransportError):  # an API that died is started again by the next round
                job = _body(client.get(job["links"]["self"], timeout=_ANSWER_SECONDS))
            progress.update(bar, completed=job["images_done"])
    if job["state"] != "succeeded":
        raise StackError(f"the job has {job['state']}: {job['error']}")
    return job


def _download(client: httpx.Client, path: str, file: IO[bytes]) -> None:
    with client.stream("GET", path) as response:
        response.raise_for_status()
        for chunk in response.iter_bytes():
            file.write(chunk)


@contextmanager
def _written_whole(path: Path) -> Iterator[IO[bytes]]:
    """Open a file beside `path` that takes its place at the end, unless something went wrong."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    except OSError as error:
        raise StackError(f"cannot write {path} ({error.strerror or error})") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _body(response: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    if response.is_error:
        raise StackError(f"the service answered {response.status_code}: {body.get('detail')}")
    return body


def _report(job: dict[str, Any], out: Path, seconds: float, console: Console) -> None:
    console.print(f"[bold green]{job['n']} images[/] from {job['model']} are in [bold]{escape(str(out.resolve()))}[/]")
    console.print(f"{seconds:.1f} s from request to last byte, {job['n'] / seconds:.0f} images/s")
    console.print("\nNext: [bold]imagemill up[/] keeps the service running; then, in another terminal:")
    console.print('  curl -X POST "http://127.0.0.1:8000/generate?n=1000&seed=7"', highlight=False)
