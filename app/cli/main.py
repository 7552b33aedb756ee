"""The command `imagemill`. Commands of other packages are named here, and loaded when they are asked for."""

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape

from app.cli.commands import Command, Commands, refuse_usage
from app.cli.keys import keys
from app.cli.refusal import refuse, refused_politely
from app.cli.terminal import Terminal
from worker.contracts import logs
from worker.contracts.errors import SettingsError

_KEEP_ALIVE_SECONDS = 75
"""That a connection may wait for its next request: longer than clients and proxies do, so that they close it."""
_CHECK_SECONDS = 0.2
_DATA = Path("imagemill-data")
_SERVER = "http://127.0.0.1:8000"
_Format = Literal["png", "webp", "jpeg", "npz"]
_Mode = Literal["standard", "distilled"]
_Force = Annotated[bool, typer.Option("--force", help="Replace a file that exists.")]

log = logging.getLogger(__name__)


cli = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Image datasets on demand.",
    epilog="Exit status: 0 done, 1 failed, 2 the command line is wrong, 130 stopped by Ctrl-C (up: 0).",
)
cli.add_typer(keys, name="keys")


@cli.command()
def up(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    data: Annotated[Path, typer.Option(help="Folder for the jobs and their images.")] = _DATA,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Number of worker processes.")] = 1,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log what happens, not only what goes wrong.")] = False,
) -> None:
    """Run the whole service on this machine until Ctrl-C."""
    from app.auth.key_file import check_guarded
    from app.local.supervisor import LocalService
    from app.settings import Settings

    console, settings = Console(soft_wrap=True), Settings()
    with _stopped_politely(is_normal=True):
        check_guarded(settings, host)
        with LocalService(data, host, port, workers, "info" if verbose else "warning", settings.keys) as service:
            from app.local.wait_until_ready import print_set_aside, wait_until_ready  # meanwhile, its processes start

            wait_until_ready(service, console)
            print_set_aside(service, console)
            console.print(
                f"[bold green]Ready[/] at {service.url} (documentation at {service.url}/docs). Ctrl-C stops it."
            )
            elsewhere = "" if service.url == _SERVER else f" --server {service.url}"
            shown = "IMAGEMILL_KEY=... " if settings.keys else ""
            console.print(f"Try:\n  {shown}imagemill generate -n 100{elsewhere}", highlight=False)
            while True:
                time.sleep(_CHECK_SECONDS)
                service.restart_dead_processes()


@cli.command(cls=Command)
def demo(
    n: Annotated[int, typer.Option("-n", "--n", min=1, max=100_000, help="How many images.")] = 500,
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Where to save them.", dir_okay=False), "overwrites with --force"
    ] = Path("faces.zip"),
    force: _Force = False,
) -> None:
    """Start a private service, generate images with it, save them, and stop it."""
    from app.cli.demo import demo as run

    with _stopped_politely(is_normal=False):
        run(n, out, force, Terminal())


@cli.command(cls=Command)
def generate(
    n: Annotated[int | None, typer.Option("-n", "--n", min=1, help="How many images.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            dir_okay=False,
            help="Where to save them; - is standard output; default: a file here, named by model, seed and n.",
        ),
    ] = None,
    force: _Force = False,
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
        "needs --style",
    ] = None,
    strength: Annotated[
        float | None,
        typer.Option("--style-strength", "--strength", min=0, max=1, help="How much of the style; default: 1."),
        "needs --style",
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option("--style-steps", "--steps", min=1, max=10_000, help="Steps of styling, or of learning it."),
        "needs --style",
    ] = None,
    ttl_hours: Annotated[
        int | None, typer.Option(min=1, help="How long the service keeps the images; default: its limit.")
    ] = None,
    job: Annotated[
        str | None,
        typer.Option(help="Continue this job, of which only the output can be chosen."),
        "only with --out, --force, --json, --quiet, --server",
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the job that has ended as JSON on standard output.")
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")] = False,
) -> None:
    """Ask a running service for images, and save them. What was interrupted is continued with --job.

    A service that has keys gets the one in IMAGEMILL_KEY.
    """
    from app.cli.generate import Delivery, attach, order
    from app.client.client import Client

    asked: dict[str, str | int | float | None] = {
        "n": n,
        "model": model,
        "class": class_label,
        "seed": seed,
        "start": start,
        "format": kind,
        "style_mode": mode,
        "style_strength": strength,
        "style_steps": steps,
        "ttl_hours": ttl_hours,
    }
    query = {name: value for name, value in asked.items() if value is not None}
    if n is None and job is None:
        refuse_usage("give -n and what to generate, or --job alone")
    terminal, delivery = Terminal(is_quiet=quiet, has_result=not as_json), Delivery(out, force, as_json)
    key = os.environ.get("IMAGEMILL_KEY") or None  # no option, as everybody sees those
    with _stopped_politely(is_normal=False), Client(server, terminal.note, key=key) as client:
        if job is None:
            order(client, query, style, delivery, terminal)
        else:
            attach(client, job, delivery, terminal)


@cli.command()
def api(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    fd: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the API alone. Configured by IMAGEMILL_REDIS_URL, IMAGEMILL_STORE and others."""
    import uvicorn

    from app.api.access_log import QuietHealthChecks
    from app.api.request_id import RequestIdFilter, RequestIdMiddleware
    from app.api.uvicorn_protocol import LimitedHttpProtocol
    from app.api.uvicorn_server import STOP_SECONDS, Server, allow_many_files
    from app.auth.key_file import check_guarded
    from app.main import create_app
    from app.settings import Settings

    settings, listening = Settings(), None if fd is None else socket.socket(fileno=fd)
    with refused_politely():
        check_guarded(settings, host if listening is None else listening.getsockname()[0])
    logs.configure(settings.log_level, settings.log_format, RequestIdFilter())
    logging.getLogger("uvicorn.access").addFilter(QuietHealthChecks())
    allow_many_files()
    app = create_app(settings)
    config = uvicorn.Config(
        RequestIdMiddleware(app),
        host=host,
        port=port,
        http=LimitedHttpProtocol,
        log_config=None,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        server_header=False,
        headers=[("X-Content-Type-Options", "nosniff")],
    )
    Server(config, on_stop=app.state.bell.close).run(None if listening is None else [listening])


def main() -> None:
    """Run the command line. What a terminal or a file cannot spell is written with escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        cli(prog_name="imagemill")
    except (SettingsError, OSError) as error:
        refuse(error)


class _Stopped(BaseException):
    """A signal asked this process to end."""


@contextmanager
def _stopped_politely(*, is_normal: bool) -> Iterator[None]:
    """Let signals unwind what runs, and print in one line on standard error what went wrong, if anything did."""
    from app.auth.api_keys import ApiKeysError
    from app.client.client import ClientError
    from app.local.supervisor import LocalServiceError

    console = Console(soft_wrap=True, stderr=True)
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
    except (LocalServiceError, ClientError, ApiKeysError) as error:
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
