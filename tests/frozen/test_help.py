"""The help of every command and sub-command."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.command import COMMAND, ENVIRONMENT, run
from tests.frozen import snapshot

_FORCED = ("FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "TERMINAL_WIDTH", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
"""Variables by which typer and rich take a pipe for a terminal, or choose another width."""
_THREADS = 4
_COMMANDS = re.compile(r"^╭─ Commands ─+╮\n(.*?)^╰", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"^│ ([\w-]+)", re.MULTILINE)

Command = tuple[str, ...]


@pytest.fixture
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*_FORCED, *(name for name in ENVIRONMENT if name.startswith("IMAGEMILL_"))]:
        monkeypatch.delitem(ENVIRONMENT, name, raising=False)
    for name, value in {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb", "PYTHONUTF8": "1"}.items():
        monkeypatch.setitem(ENVIRONMENT, name, value)


@pytest.mark.usefixtures("plain_terminal")
def test_every_command_keeps_its_help() -> None:
    found, waiting = dict[Command, str](), list[Command]([()])
    with ThreadPoolExecutor(_THREADS) as threads:
        while waiting:
            level = dict(zip(waiting, threads.map(help_of, waiting), strict=True))
            waiting = [below for command, text in level.items() for below in subcommands(command, text)]
            found |= level
    assert len(found) > 1, "the list of commands could not be read"
    parts = (f"$ {' '.join(('imagemill', *command))} --help\n{text}" for command, text in sorted(found.items()))
    snapshot.check("help.txt", "\n".join(parts))


def help_of(command: Command) -> str:
    done = run([*COMMAND, *command, "--help"], snapshot.FOLDER)
    assert done.returncode == 0, done.stderr
    return "".join(f"{line.rstrip()}\n" for line in done.stdout.splitlines())


def subcommands(command: Command, text: str) -> list[Command]:
    return [(*command, name) for panel in _COMMANDS.findall(text) for name in _NAME.findall(panel)]
