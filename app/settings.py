"""The API's settings, read once from the environment."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import NoDecode

from app.path_prefix import checked
from worker.contracts.environment import Environment
from worker.contracts.jobs import DEFAULT_TTL_HOURS, MOST_TTL_HOURS

_ANY = "*"
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?", re.ASCII)


def _origins(setting: object) -> object:
    return _origins_of(setting) if isinstance(setting, str) else setting


def _origins_of(setting: str) -> frozenset[str]:
    """Read a list of origins, divided by commas. Raises ValueError."""
    found = frozenset(part.strip().lower().rstrip("/") for part in setting.split(",") if part.strip())
    for origin in found - {_ANY}:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(f"an origin is like http://localhost:8888, without a path; got {origin!r}")
    if _ANY in found and len(found) > 1:
        raise ValueError("* stands for all origins, so it stands alone")
    return found


class Settings(Environment):
    """What only the API reads."""

    default_model: str = "faces-64"
    """Rendered when a request names none; if no worker has it, the first model by name."""
    max_images: int = Field(default=100_000, ge=1)
    """Largest n of one request."""
    ttl_hours: int = Field(default=DEFAULT_TTL_HOURS, ge=1, le=MOST_TTL_HOURS)
    """How long images are kept from the end of their job, at most."""
    min_free_mb: int = Field(default=500, ge=0)
    """Megabytes of the store's disk that no new job may need; with less, the service is not ready."""
    shard_images: int | None = Field(default=None, ge=1)
    """Images in a shard; by default about a second of work, as the workers measured."""
    keys: Path | None = None
    """A file that `imagemill keys` made. Without one, everybody is let in, as the same owner."""
    open: Literal["anyone"] | None = None
    """Says that everybody is to be let in on other addresses than loopback too."""
    cors_origins: Annotated[frozenset[str], NoDecode, BeforeValidator(_origins)] = frozenset()
    """Origins whose pages may use the service, like http://localhost:8888, divided by commas; with keys, * for all."""
    root_path: Annotated[str, AfterValidator(checked)] = ""
    """The path below which a proxy publishes the service, like /imagemill, if it says none in X-Forwarded-Prefix."""
    reconcile_every_seconds: float = Field(default=5, gt=0, le=3600)

    @model_validator(mode="after")
    def _check_origins(self) -> Self:
        if _ANY in self.cors_origins and self.keys is None:
            raise ValueError(
                "IMAGEMILL_CORS_ORIGINS: without keys, * would let every site use the service; list the origins"
            )
        return self

    @property
    def min_free_bytes(self) -> int:
        """The same as `min_free_mb`, in bytes."""
        return self.min_free_mb * 1_000_000
