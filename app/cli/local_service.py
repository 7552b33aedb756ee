"""Runs the local service in the foreground, for `imagemill up`."""

import time
import webbrowser
from pathlib import Path

from rich.console import Console

from app.auth.key_file import check_protected
from app.cli.signals import ended_by_signals
from app.cli.terminal import DEFAULT_SERVER
from app.local.supervisor import LocalService, LocalServiceError
from app.provenance.signature import load_signing_key
from app.settings import Settings

_CHECK_SECONDS = 0.2


def run_until_stopped(
    data: Path,
    host: str,
    port: int,
    workers: int,
    log_level: str,
    *,
    runs: Path | None = None,
    is_opened: bool = False,
) -> None:
    """Start the service, say where it is, and keep its processes running until a signal arrives.

    `runs` is a folder of training runs. `is_opened` opens the page in a browser.
    """
    console, settings = Console(soft_wrap=True), Settings()
    shown_runs = runs or settings.runs
    with ended_by_signals(LocalServiceError, is_normal=True):
        check_protected(settings, host)
        load_signing_key(settings.signing_key)  # the API would refuse a wrong one at every start
        with LocalService(data, host, port, workers, log_level, settings.keys, shown_runs) as service:
            # This import takes a while. The processes of the service start meanwhile.
            from app.local.wait_until_ready import print_set_aside, wait_until_ready

            wait_until_ready(service, console)
            print_set_aside(service, console)
            _print_address(service.url, console, has_keys=bool(settings.keys))
            if is_opened:
                webbrowser.open(service.url)
            while True:
                time.sleep(_CHECK_SECONDS)
                service.restart_dead_processes()


def _print_address(url: str, console: Console, *, has_keys: bool) -> None:
    console.print(
        f"[bold green]Ready[/] at {url} (a page for your browser; {url}/docs describes the API). Ctrl-C stops it."
    )
    server = "" if url == DEFAULT_SERVER else f" --server {url}"
    key = "IMAGEMILL_KEY=... " if has_keys else ""
    console.print(f"Try:\n  {key}imagemill generate -n 100{server}", highlight=False)
