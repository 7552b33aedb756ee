"""The command `imagemill keys`."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.refusal import refused_politely

keys = typer.Typer(no_args_is_help=True, help="Say who may use the service, and for how much.")

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
    from pydantic import ValidationError

    from app.auth.api_keys import Caller, change_keys, new_secret

    with refused_politely():
        try:
            caller, secret = Caller(owner=name, max_images=max_images, max_jobs=max_jobs), new_secret()
            change_keys(file, lambda found: found.with_key(caller, secret))
        except ValidationError as error:
            raise typer.BadParameter(
                "a name is of a-z, 0-9, '.', '_' and '-', 64 at most", param_hint="NAME"
            ) from error
    typer.echo(secret)


@keys.command()
def remove(name: _Name, file: _KeysFile = _KEYS) -> None:
    """Take a key back; what its owner has made stays in the store."""
    from app.auth.api_keys import change_keys

    with refused_politely():
        change_keys(file, lambda found: found.without_owner(name))


@keys.command(name="list")
def all_keys(file: _KeysFile = _KEYS) -> None:
    """List whose keys there are, and their limits."""
    from app.auth.api_keys import load_keys

    with refused_politely():
        for key in load_keys(file).keys:
            typer.echo(f"{key.owner}  images: {key.max_images or 'any'}  jobs: {key.max_jobs or 'any'}")
