"""The command `imagemill keys`."""

from pathlib import Path
from typing import Annotated

import typer

keys = typer.Typer(no_args_is_help=True, add_completion=False, help="Say who may use the service, and for how much.")

_Name = Annotated[str, typer.Argument(help="Whose key it is; jobs and styles belong to that name.")]
_KeysFile = Annotated[Path, typer.Option(envvar="IMAGEMILL_KEYS", dir_okay=False, help="The file of keys.")]
_KEYS = Path("keys.json")


@keys.command()
def add(
    name: _Name,
    file: _KeysFile = _KEYS,
    max_images: Annotated[int | None, typer.Option(min=1, help="Most images that may wait at a time.")] = None,
    max_jobs: Annotated[int | None, typer.Option(min=1, help="Most jobs that may be open at a time.")] = None,
) -> None:
    """Make a key and print it, once: the file holds its hash only."""
    from app.cli import key_changes

    typer.echo(key_changes.add(name, file, max_images, max_jobs))


@keys.command()
def remove(name: _Name, file: _KeysFile = _KEYS) -> None:
    """Take a key back; what its owner has made stays in the store."""
    from app.cli import key_changes

    key_changes.remove(name, file)


@keys.command(name="list")
def all_keys(file: _KeysFile = _KEYS) -> None:
    """List whose keys there are, and their limits."""
    from app.cli import key_changes

    for line in key_changes.descriptions(file):
        typer.echo(line)
