"""Reads and changes the file of API keys, for `imagemill keys`. All functions raise ApiKeysError."""

from collections.abc import Iterator
from pathlib import Path

import typer
from pydantic import ValidationError

from app.auth.api_keys import Caller, change_keys, load_keys, new_secret


def add(name: str, file: Path, max_images: int | None, max_jobs: int | None) -> str:
    """Add a key, and return its secret."""
    try:
        caller = Caller(owner=name, max_images=max_images, max_jobs=max_jobs)
    except ValidationError as error:
        raise typer.BadParameter("a name is of a-z, 0-9, '.', '_' and '-', 64 at most", param_hint="NAME") from error
    secret = new_secret()
    change_keys(file, lambda found: found.with_key(caller, secret))
    return secret


def remove(name: str, file: Path) -> None:
    """Remove the key of an owner."""
    change_keys(file, lambda found: found.without_owner(name))


def descriptions(file: Path) -> Iterator[str]:
    """Describe each key in one line: its owner and its limits."""
    for key in load_keys(file).keys:
        yield f"{key.owner}  images: {key.max_images or 'any'}  jobs: {key.max_jobs or 'any'}"
