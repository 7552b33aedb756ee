"""The command `imagemill keys`."""

from pathlib import Path
from typing import Annotated

import typer

keys = typer.Typer(no_args_is_help=True, add_completion=False, help="Manage API keys and their limits.")

_Name = Annotated[str, typer.Argument(help="Owner of the key. Jobs and styles belong to this name.")]
_KeysFile = Annotated[Path, typer.Option(envvar="IMAGEMILL_KEYS", dir_okay=False, help="File of the keys.")]
_KEYS = Path("keys.json")


@keys.command()
def add(
    name: _Name,
    file: _KeysFile = _KEYS,
    max_images: Annotated[
        int | None, typer.Option(min=1, help="Maximum number of images that may wait at a time.")
    ] = None,
    max_jobs: Annotated[
        int | None, typer.Option(min=1, help="Maximum number of jobs that may be open at a time.")
    ] = None,
) -> None:
    """Create a key and print it. It cannot be printed again: the file holds only its hash."""
    from app.cli import key_changes

    typer.echo(key_changes.add(name, file, max_images, max_jobs))


@keys.command()
def remove(name: _Name, file: _KeysFile = _KEYS) -> None:
    """Remove a key. The jobs and styles of its owner stay in the store."""
    from app.cli import key_changes

    key_changes.remove(name, file)


@keys.command(name="list")
def all_keys(file: _KeysFile = _KEYS) -> None:
    """List the owners of keys, and their limits."""
    from app.cli import key_changes

    for line in key_changes.descriptions(file):
        typer.echo(line)
