"""The command `imagemill`. Commands of other packages are found by entry point and loaded when they are asked for."""

import io
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

_KEEP_ALIVE_SECONDS = 75
"""That a connection may wait for its next request: longer than clients and proxies do, so that they close it."""
_GROUP = "imagemill.commands"
_TEND_SECONDS = 0.2
_DATA = Path("imagemill-data")
_SERVER = "http://127.0.0.1:8000"
_Format = Literal["png", "webp", "jpeg", "npz"]
_Mode = Literal["standard", "distilled"]


class Commands(TyperGroup):
    """Our own commands and those that installed packages bring."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401
        """List all commands, without loading any."""
        return [*super().list_commands(ctx), *sorted(entry_points(group=_GROUP).names)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        """Find a command, and load the package that has it."""
        found = entry_points(group=_GROUP, name=cmd_name)
        return super().get_command(ctx, cmd_name) or next(map(_load, found), None)


cli = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, help="Image datasets on demand.")
keys = typer.Typer(no_args_is_help=True, help="Say who may use the service, and for how much.")
cli.add_typer(keys, name="keys")

_Name = Annotated[str, typer.Argument(help="Whose key it is; jobs and styles belong to that name.")]
_KeysFile = Annotated[Path, typer.Option(envvar="IMAGEMILL_KEYS", dir_okay=False, help="The file of keys.")]
_KEYS = Path("keys.json")


@cli.command()
def up(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    data: Annotated[Path, typer.Option(help="Folder for the jobs and their images.")] = _DATA,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Number of worker processes.")] = 1,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log what happens, not only what goes wrong.")] = False,
) -> None:
    """Run the whole service on this machine until Ctrl-C."""
    from app.keyring import check_guarded
    from app.settings import Settings
    from app.stack import Stack

    console, settings = Console(soft_wrap=True), Settings()
    with _stopped_politely(console, is_normal=True):
        check_guarded(settings, host)
        with Stack(data, host, port, workers, "info" if verbose else "warning", settings.keys) as stack:
            from app.ready import wait_until_ready  # meanwhile, its processes start

            wait_until_ready(stack, console)
            console.print(f"[bold green]Ready[/] at {stack.url} (documentation at {stack.url}/docs). Ctrl-C stops it.")
            elsewhere = "" if stack.url == _SERVER else f" --server {stack.url}"
            shown = "IMAGEMILL_KEY=... " if settings.keys else ""
            console.print(f"Try:\n  {shown}imagemill generate -n 100{elsewhere}", highlight=False)
            while True:
                time.sleep(_TEND_SECONDS)
                stack.tend()


@cli.command()
def demo(
    n: Annotated[int, typer.Option(min=1, max=100_000, help="How many images.")] = 500,
    out: Annotated[Path, typer.Option(help="Where to save them.", dir_okay=False)] = Path("faces.zip"),
) -> None:
    """Start a private service, generate images with it, save them, and stop it."""
    from app.demo import demo as run

    console = Console(soft_wrap=True)
    with _stopped_politely(console, is_normal=False):
        run(n, out, console)


@cli.command()
def generate(
    n: Annotated[int | None, typer.Option("-n", "--n", min=1, help="How many images.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", dir_okay=False, help="Where to save them; default: model, seed and n, here."),
    ] = None,
    server: Annotated[str, typer.Option(envvar="IMAGEMILL_SERVER", help="Address of the service.")] = _SERVER,
    model: Annotated[str | None, typer.Option(help="Name of the model; default: the service's.")] = None,
    class_label: Annotated[str | None, typer.Option("--class", help="Only this class; default: all in turn.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Fixes the images; default: a random one.")] = None,
    start: Annotated[int | None, typer.Option(min=0, help="Index of the first image; default: 0.")] = None,
    kind: Annotated[_Format | None, typer.Option("--format", help="How images are stored; default: png.")] = None,
    style: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A picture whose style the images take.")
    ] = None,
    mode: Annotated[
        _Mode | None,
        typer.Option("--style-mode", help="Optimise each image (standard, the default), or learn the style once."),
    ] = None,
    strength: Annotated[float | None, typer.Option(min=0, max=1, help="How much of the style; default: 1.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, max=10_000, help="Steps of styling, or of learning it.")] = None,
    job: Annotated[str | None, typer.Option(help="Continue this job, of which only the output can be chosen.")] = None,
) -> None:
    """Ask a running service for images, and save them. What was interrupted is continued with --job.

    A service that has keys gets the one in IMAGEMILL_KEY.
    """
    from app.generate import attach, order

    asked: dict[str, str | int | float | None] = {
        "n": n,
        "model": model,
        "class": class_label,
        "seed": seed,
        "start": start,
        "format": kind,
    }
    asked |= {"style_mode": mode, "style_strength": strength, "style_steps": steps}
    query = {name: value for name, value in asked.items() if value is not None}
    if (n is None) == (job is None) or (job is not None and (query or style)):
        raise typer.BadParameter("give -n and what to generate, or --job alone")
    console, key = Console(soft_wrap=True), os.environ.get("IMAGEMILL_KEY")  # no option, as everybody sees those
    with _stopped_politely(console, is_normal=False):
        if job is None:
            order(server, key, query, style, out, console)
        else:
            attach(server, key, job, out, console)


@cli.command()
def api(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    fd: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the API alone. Configured by IMAGEMILL_REDIS_URL, IMAGEMILL_STORE and others."""
    import uvicorn

    from app.keyring import check_guarded
    from app.main import create_app
    from app.protocol import BoundedProtocol
    from app.request_id import RequestIdFilter, WithRequestId
    from app.settings import Settings
    from worker.contracts import logs

    settings, listening = Settings(), None if fd is None else socket.socket(fileno=fd)
    with _refused_politely():
        check_guarded(settings, host if listening is None else listening.getsockname()[0])
    logs.configure(settings.log_level, settings.log_format, RequestIdFilter())
    app = WithRequestId(create_app(settings))
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=BoundedProtocol,
        log_config=None,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=10,
        server_header=False,
        headers=[("X-Content-Type-Options", "nosniff")],
    )
    uvicorn.Server(config).run(None if listening is None else [listening])


@keys.command()
def add(
    name: _Name,
    file: _KeysFile = _KEYS,
    max_images: Annotated[int | None, typer.Option(min=1, help="Most images that may wait at a time.")] = None,
    max_jobs: Annotated[int | None, typer.Option(min=1, help="Most jobs that may be open at a time.")] = None,
) -> None:
    """Make a key and print it, once: the file holds its hash only."""
    from pydantic import ValidationError

    from app.keys import Caller, change, new_secret

    with _refused_politely():
        try:
            caller, secret = Caller(owner=name, max_images=max_images, max_jobs=max_jobs), new_secret()
            change(file, lambda found: found.added(caller, secret))
        except ValidationError as error:
            raise typer.BadParameter(
                "a name is of a-z, 0-9, '.', '_' and '-', 64 at most", param_hint="NAME"
            ) from error
    typer.echo(secret)


@keys.command()
def remove(name: _Name, file: _KeysFile = _KEYS) -> None:
    """Take a key back; what its owner has made stays in the store."""
    from app.keys import change

    with _refused_politely():
        change(file, lambda found: found.without(name))


@keys.command(name="list")
def all_keys(file: _KeysFile = _KEYS) -> None:
    """List whose keys there are, and their limits."""
    from app.keys import load

    with _refused_politely():
        for key in load(file).keys:
            typer.echo(f"{key.owner}  images: {key.max_images or 'any'}  jobs: {key.max_jobs or 'any'}")


@contextmanager
def _refused_politely() -> Iterator[None]:
    from app.keys import KeysError

    try:
        yield
    except KeysError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(1)


def main() -> None:
    """Run the command line."""
    _escape_what_cannot_be_shown()
    cli()


def _escape_what_cannot_be_shown() -> None:
    """Let a terminal that is not UTF-8 show escapes of characters that it lacks, instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _load(entry_point: EntryPoint) -> Any:  # noqa: ANN401
    wrapper = typer.Typer(add_completion=False)
    wrapper.command(entry_point.name)(entry_point.load())
    return typer.main.get_command(wrapper)


class _Stopped(BaseException):
    """A signal asked this process to end."""


@contextmanager
def _stopped_politely(console: Console, *, is_normal: bool) -> Iterator[None]:
    """Let signals unwind what runs, and say in one line what went wrong, if anything did."""
    from app.client import ClientError
    from app.keys import KeysError
    from app.stack import StackError

    logging.basicConfig(level="WARNING", format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for number in _ending_signals():
        signal.signal(number, _stop)
    try:
        yield
    except _Stopped as stopped:
        (number,) = stopped.args
        console.print(f"Stopped by {signal.Signals(number).name}.")
        _print_notes(stopped, console)
        sys.exit(0 if is_normal else 128 + number)
    except (StackError, ClientError, KeysError) as error:
        console.print(f"[bold red]Error:[/] {escape(str(error))}")
        _print_notes(error, console)
        sys.exit(1)


def _print_notes(error: BaseException, console: Console) -> None:
    for note in getattr(error, "__notes__", ()):
        console.print(note, markup=False, highlight=False)


def _stop(number: int, _frame: FrameType | None) -> None:
    for ending in _ending_signals():
        signal.signal(ending, signal.SIG_IGN)
    raise _Stopped(number)


def _ending_signals() -> list[signal.Signals]:
    # Under nohup, SIGHUP is ignored and stays so.
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    return [n for n in numbers if n != signal.SIGHUP or signal.getsignal(n) != signal.SIG_IGN]


if __name__ == "__main__":
    main()
