"""The table of all commands. A command's module is imported when the command is used."""

from pkgutil import resolve_name
from typing import Any

import typer
from typer.core import TyperGroup

from app.cli.option_rules import CheckedCommand

_COMMANDS = {
    "up": "app.cli.up:up",
    "demo": "app.cli.demo:demo",
    "generate": "app.cli.generate:generate",
    "jobs": "app.cli.jobs:jobs",
    "extend": "app.cli.extend:extend",
    "curate": "app.cli.curate:curate",
    "delete": "app.cli.delete:delete",
    "verify": "app.cli.verify:verify",
    "sign": "app.cli.sign:sign",
    "api": "app.cli.api:api",
    "keys": "app.cli.keys:keys",
    "dataset": "training.dataset.cli:dataset",
    "evaluate": "training.metrics.cli:evaluate",
    "export": "training.export:export",
    "gate": "training.gate.cli:gate",
    "prove": "training.prove.cli:prove",
    "sliders": "training.sliders.cli:sliders",
    "style": "worker.style.cli:style",
    "train": "training.cli:train",
    "worker": "worker.cli:worker",
}
"""Function of each command, or a typer.Typer of sub-commands, in the order of `--help`.

These are no entry points of the distribution: any other distribution could define entry points of the same names.
"""


class CommandGroup(TyperGroup):
    """The command `imagemill`, whose sub-commands are in the table."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002
        """List the names of all commands, without an import."""
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002
        """Import a command. None if there is no command of that name."""
        return _load(cmd_name) if cmd_name in _COMMANDS else None


def _load(name: str) -> Any:  # noqa: ANN401
    found = resolve_name(_COMMANDS[name])
    if not isinstance(found, typer.Typer):
        wrapper = typer.Typer(add_completion=False)
        wrapper.command(name, cls=CheckedCommand)(found)
        found = wrapper
    command = typer.main.get_command(found)
    command.name = name
    return command
