"""Keys: who may ask, and for how much. Their file holds hashes, so that reading it lets nobody in."""

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

Name = Annotated[str, StringConstraints(pattern=rf"^{OWNER_PATTERN}$")]
Most = Annotated[int, Field(ge=1)]


class ApiKeysError(SettingsError):
    """Keys that cannot be used, or not be changed as was asked."""


class Caller(BaseModel):
    """Who asks: the owner of what comes of it, and the most that they may have open at a time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: Owner = ""
    max_images: Most | None = None
    """Images that are asked for and not rendered yet."""
    max_jobs: Most | None = None
    """Jobs that have not ended."""


class ApiKey(Caller):
    """One key, which is not told."""

    owner: Name
    sha256: Sha256
    """A plain hash is enough, as a key is 32 random bytes: there is nothing to guess, and so nothing to slow down."""


class ApiKeys(BaseModel):
    """All keys; one for every owner."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    keys: tuple[ApiKey, ...] = ()

    @model_validator(mode="after")
    def _check_owners(self) -> Self:
        if len({key.owner for key in self.keys}) < len(self.keys):
            raise ValueError("two keys have the same owner")
        return self

    def find(self, secret: str) -> ApiKey | None:
        """Find a key. All are looked at, so that the time that it takes tells nothing."""
        digest = _digest(secret)
        found = [key for key in self.keys if hmac.compare_digest(key.sha256, digest)]
        return found[0] if found else None

    def added(self, caller: Caller, secret: str) -> Self:
        """Add a key. Raises KeysError when its owner has one, or is none."""
        if any(key.owner == caller.owner for key in self.keys):
            raise ApiKeysError(f"{caller.owner} has a key already; remove that first")
        key = ApiKey(**caller.model_dump(), sha256=_digest(secret))
        return self.model_copy(update={"keys": (*self.keys, key)})

    def without(self, owner: str) -> Self:
        """Remove a key. Raises KeysError when its owner has none."""
        kept = tuple(key for key in self.keys if key.owner != owner)
        if len(kept) == len(self.keys):
            raise ApiKeysError(f"{owner!r} has no key; there are keys of {_listed(self.keys)}")
        return self.model_copy(update={"keys": kept})


def new_secret() -> str:
    """Draw what an owner sends."""
    return secrets.token_urlsafe(_KEY_BYTES)


def load(path: Path) -> ApiKeys:
    """Read a file of keys; raises KeysError."""
    try:
        return ApiKeys.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ApiKeysError(f"cannot read the keys in {path} ({error.strerror})") from error
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"])) or "the file"
        raise ApiKeysError(f"{path} is not a file of keys: {place}: {fault['msg']}") from error


def change(path: Path, changed: Callable[[ApiKeys], ApiKeys]) -> None:
    """Change a file of keys, or make it; it is written whole or not at all. Raises KeysError."""
    try:
        with _alone(path.parent):
            _write(path, changed(load(path) if path.exists() else ApiKeys()))
    except OSError as error:
        raise ApiKeysError(f"cannot write {path} ({error.strerror})") from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let no other process change keys here, so that none that it removes comes back."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write(path: Path, keys: ApiKeys) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # of mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(keys.model_dump_json(indent=2, exclude_none=True) + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _listed(keys: tuple[ApiKey, ...]) -> str:
    return ", ".join(sorted(key.owner for key in keys)) or "nobody"
