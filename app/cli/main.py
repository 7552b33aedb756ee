"""The command `imagemill`."""

import sys
from io import TextIOWrapper

import typer

from app.cli.command_group import CommandGroup
from app.cli.refusal import refuse
from worker.contracts.errors import SettingsError

cli = typer.Typer(
    cls=CommandGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Image datasets on demand.",
    epilog="Exit status: 0 done, 1 failed, 2 the command line is wrong, 130 stopped by Ctrl-C (up: 0).",
)


@cli.callback()
def _options() -> None:
    """Make typer accept a group that registers no command: the table of the group has all of them."""


def main() -> None:
    """Run the command line. Characters that a terminal or a file cannot encode are written as escapes."""
    # A stream is None if its file descriptor is closed.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        cli(prog_name="imagemill")
    except (SettingsError, OSError) as error:  # ApiKeysError is a SettingsError
        refuse(error)


if __name__ == "__main__":
    main()
