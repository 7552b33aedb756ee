"""API keys and their file. The file holds only hashes, so a stolen file grants no access."""

import fcntl
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from worker.contracts.catalog import Sha256
from worker.contracts.errors import SettingsError
from worker.contracts.owners import OWNER_PATTERN, Owner

_KEY_BYTES = 32
"""Random bytes in a key."""

Name = Annotated[str, StringConstraints(pattern=rf"^{OWNER_PATTERN}$")]
Limit = Annotated[int, Field(ge=1)]


class ApiKeysError(SettingsError):
    """The key file cannot be read, or cannot be changed as requested."""


class Caller(BaseModel):
    """The owner that a request acts for, and the owner's limits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: Owner = ""
    max_images: Limit | None = None
    """Limit of requested images that are not rendered yet. None is unlimited."""
    max_jobs: Limit | None = None
    """Limit of jobs that have not ended. None is unlimited."""


class ApiKey(Caller):
    """One API key. Only its SHA-256 is stored."""

    owner: Name
    sha256: Sha256
    """A fast hash is enough, because a key is 32 random bytes and cannot be guessed."""


class ApiKeys(BaseModel):
    """All API keys, one for each owner."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    keys: tuple[ApiKey, ...] = ()

    @model_validator(mode="after")
    def _check_owners(self) -> Self:
        if len({key.owner for key in self.keys}) < len(self.keys):
            raise ValueError("two keys have the same owner")
        return self

    def find(self, secret: str) -> ApiKey | None:
        """Return the key of a secret. Compares with every key, so that the duration reveals nothing."""
        return self.find_digest(_digest(secret))

    def find_digest(self, digest: str) -> ApiKey | None:
        """Return the key with this SHA-256, in a time that reveals nothing."""
        found = [key for key in self.keys if hmac.compare_digest(key.sha256, digest)]
        return found[0] if found else None

    def with_key(self, caller: Caller, secret: str) -> Self:
        """Return these keys and a new one. Raises ApiKeysError if its owner already has a key."""
        if any(key.owner == caller.owner for key in self.keys):
            raise ApiKeysError(f"{caller.owner} already has a key; remove it first")
        key = ApiKey(**caller.model_dump(), sha256=_digest(secret))
        return self.model_copy(update={"keys": (*self.keys, key)})

    def without_owner(self, owner: str) -> Self:
        """Return these keys without that of an owner. Raises ApiKeysError if the owner has no key."""
        kept = tuple(key for key in self.keys if key.owner != owner)
        if len(kept) == len(self.keys):
            raise ApiKeysError(f"{owner!r} has no key; owners with a key: {_owner_names(self.keys)}")
        return self.model_copy(update={"keys": kept})


def new_secret() -> str:
    """Return a new random key, as clients send it."""
    return secrets.token_urlsafe(_KEY_BYTES)


def load_keys(path: Path) -> ApiKeys:
    """Read a key file. Raises ApiKeysError."""
    try:
        return ApiKeys.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ApiKeysError(f"cannot read the key file {path} ({error.strerror})") from error
    except ValidationError as error:
        first_error = error.errors()[0]
        place = ".".join(map(str, first_error["loc"])) or "the file"
        raise ApiKeysError(f"{path} is not a key file: {place}: {first_error['msg']}") from error


def change_keys(path: Path, edit: Callable[[ApiKeys], ApiKeys]) -> None:
    """Apply a change to a key file, or to no keys if it does not exist. The write is atomic. Raises ApiKeysError."""
    try:
        with _locked(path.parent):
            _write(path, edit(load_keys(path) if path.exists() else ApiKeys()))
    except OSError as error:
        raise ApiKeysError(f"cannot write {path} ({error.strerror})") from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold an exclusive lock on a folder.

    Without it, a process could write back a key that another process has just removed.
    """
    # The lock is on the folder, because every write replaces the file.
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write(path: Path, keys: ApiKeys) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # creates it with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(keys.model_dump_json(indent=2, exclude_none=True) + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)  # atomic: a service that reads the file sees the old keys or the new ones
    except BaseException:  # Ctrl-C too must not leave a file of hashes behind
        Path(name).unlink(missing_ok=True)
        raise


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _owner_names(keys: tuple[ApiKey, ...]) -> str:
    return ", ".join(sorted(key.owner for key in keys)) or "none"
