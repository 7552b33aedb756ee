"""The settings that every process reads from the environment. Each settings class is a subclass of Environment."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from worker.contracts.errors import SettingsError
from worker.contracts.logs import LogFormat
from worker.contracts.queue import redis_url

_PREFIX = "IMAGEMILL_"


class Environment(BaseSettings):
    """Settings from the variables IMAGEMILL_REDIS_URL, IMAGEMILL_STORE and so on. An empty variable counts as unset."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_ignore_empty=True, frozen=True)

    redis_url: str = "redis://127.0.0.1:6379/0"
    redis_password_file: Path | None = None
    """A file with the queue server's password, in place of one in the URL. Line breaks at its end are removed."""
    store: str = "imagemill-data/store"
    """A folder, or a URL like s3://bucket/prefix. The API and the workers must use the same store."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: LogFormat = "text"

    def __init__(self, **values: Any) -> None:  # noqa: ANN401
        """Read the environment; raises SettingsError."""
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise SettingsError("; ".join(map(_sentence, error.errors()))) from None

    @property
    def redis_password(self) -> bytes | None:
        """The queue server's password from its file; None without a file."""
        return None if self.redis_password_file is None else _password(self.redis_password_file)

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, url: str) -> str:
        redis_url.check(url)
        return url

    @field_validator("redis_password_file")
    @classmethod
    def _check_redis_password_file(cls, path: Path | None) -> Path | None:
        try:
            is_empty = path is not None and not _password(path)
        except OSError as error:
            raise ValueError(f"the file cannot be read ({error.strerror}); it must hold the password") from error
        if is_empty:
            raise ValueError("the file is empty; it must hold the password")
        return path

    @model_validator(mode="after")
    def _check_one_password(self) -> Self:
        if self.redis_password_file is not None and redis_url.has_password(self.redis_url):
            raise ValueError(
                "IMAGEMILL_REDIS_URL holds a password and IMAGEMILL_REDIS_PASSWORD_FILE names one; set one"
            )
        return self


def _password(path: Path) -> bytes:
    return path.read_bytes().rstrip(b"\n")


def _sentence(fault: ErrorDetails) -> str:
    message = fault["msg"].removeprefix("Value error, ")
    if not fault["loc"]:
        return message
    variable = _PREFIX + "_".join(map(str, fault["loc"])).upper()
    # The message is logged and shown, so the password of a URL must not be in it.
    value = str(fault["input"])
    shown = redis_url.mask_password(value) if variable.endswith("_URL") else value
    return f"{variable} is {shown!r}: {message[:1].lower()}{message[1:]}"
