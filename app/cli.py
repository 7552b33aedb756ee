"""The command `imagemill`. Commands of other packages are found by entry point and loaded when they are asked for."""

import logging
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


@cli.command()
def up(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    data: Annotated[Path, typer.Option(help="Folder for the jobs and their images.")] = _DATA,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Number of worker processes.")] = 1,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log what happens, not only what goes wrong.")] = False,
) -> None:
    """Run the whole service on this machine until Ctrl-C."""
    from app.stack import Stack

    console = Console(soft_wrap=True)
    with (
        _stopped_politely(console, is_normal=True),
        Stack(data, host, port, workers, "info" if verbose else "warning") as stack,
    ):
        from app.ready import wait_until_ready  # meanwhile, its processes start

        wait_until_ready(stack, console)
        console.print(f"[bold green]Ready[/] at {stack.url} (documentation at {stack.url}/docs). Ctrl-C stops it. Try:")
        elsewhere = "" if stack.url == _SERVER else f" --server {stack.url}"
        console.print(f"  imagemill generate -n 100{elsewhere}", highlight=False)
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
    """Ask a running service for images, and save them. What was interrupted is continued with --job."""
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
    console = Console(soft_wrap=True)
    with _stopped_politely(console, is_normal=False):
        if job is None:
            order(server, query, style, out, console)
        else:
            attach(server, job, out, console)


@cli.command()
def api(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    fd: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the API alone. Configured by IMAGEMILL_REDIS_URL, IMAGEMILL_STORE and others."""
    import uvicorn

    from app.main import create_app
    from app.protocol import BoundedProtocol
    from app.request_id import RequestIdFilter, WithRequestId
    from app.settings import Settings
    from worker.contracts import logs

    settings = Settings()
    logs.configure(settings.log_level, settings.log_format, RequestIdFilter())
    app = WithRequestId(create_app(settings))
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=BoundedProtocol,
        log_config=None,
        timeout_graceful_shutdown=10,
        server_header=False,
        headers=[("X-Content-Type-Options", "nosniff")],
    )
    uvicorn.Server(config).run(None if fd is None else [socket.socket(fileno=fd)])


def main() -> None:
    """Run the command line."""
    cli()


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
    except (StackError, ClientError) as error:
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
