"""The settings of the API process, read once from environment variables."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import NoDecode

from app.path_prefix import validate_prefix
from worker.contracts.environment import Environment
from worker.contracts.formats import Marking
from worker.contracts.job_state import MOST_TTL_HOURS
from worker.contracts.jobs import DEFAULT_TTL_HOURS

_ANY_ORIGIN = "*"
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?", re.ASCII)


def _parse_setting(setting: object) -> object:
    return _parse_origins(setting) if isinstance(setting, str) else setting


def _parse_origins(setting: str) -> frozenset[str]:
    """Parse a comma-separated list of origins. Raises ValueError."""
    origins = frozenset(part.strip().lower().rstrip("/") for part in setting.split(",") if part.strip())
    for origin in origins - {_ANY_ORIGIN}:
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(f"an origin must be like http://localhost:8888, without a path; got {origin!r}")
    if _ANY_ORIGIN in origins and len(origins) > 1:
        raise ValueError("* means all origins, so the list must have no other entry")
    return origins


class Settings(Environment):
    """Settings that only the API process reads."""

    default_model: str = "faces-64"
    """Model of requests that name none. If no worker has it, the first model in alphabetical order is used."""
    max_images: int = Field(default=100_000, ge=1)
    """Largest n of one request."""
    ttl_hours: int = Field(default=DEFAULT_TTL_HOURS, ge=1, le=MOST_TTL_HOURS)
    """Longest time that images are kept after the end of their job."""
    min_free_mb: int = Field(default=500, ge=0)
    """Megabytes of the store's disk that new jobs leave free. With less free space, the service is not ready."""
    shard_images: int | None = Field(default=None, ge=1)
    """Images per shard. By default, a shard is about one second of work at the speed that the workers measured."""
    keys: Path | None = None
    """Path of the key file that `imagemill keys` writes. Without it, all requests are accepted and share one owner."""
    open: Literal["anyone"] | None = None
    """Confirms that a service without keys may listen on addresses other than loopback."""
    cors_origins: Annotated[frozenset[str], NoDecode, BeforeValidator(_parse_setting)] = frozenset()
    """Comma-separated origins whose pages may use the service, like http://localhost:8888. With keys, * allows all."""
    root_path: Annotated[str, AfterValidator(validate_prefix)] = ""
    """Path prefix under which a proxy publishes the service, like /imagemill, unless X-Forwarded-Prefix names one."""
    mark: Literal["xmp", "none"] = "xmp"
    """Mark of the image files of new jobs: an XMP packet says that a model made the image, and names its address."""
    weights: Literal["public", "private"] = "public"
    """`private` keeps the weights of the models on the server, so that no browser draws images itself."""
    signing_key: Path | None = None
    """Path of a PEM file with an Ed25519 key, which signs the manifests of datasets. Without it, there are none."""
    runs: Path | None = None
    """Folder of training runs, which the page shows. Nothing is written there."""
    reconcile_every_seconds: float = Field(default=5, gt=0, le=3600)

    @model_validator(mode="after")
    def _check_origins(self) -> Self:
        # Keys keep foreign pages out. Without them, the list of origins is the only protection.
        if _ANY_ORIGIN in self.cors_origins and self.keys is None:
            raise ValueError(
                "IMAGEMILL_CORS_ORIGINS: without keys, * would let every site use the service; list the origins"
            )
        return self

    @property
    def marking(self) -> Marking:
        """The setting `mark` in the words of a job's specification."""
        return "xmp-1" if self.mark == "xmp" else "none"

    @property
    def min_free_bytes(self) -> int:
        """`min_free_mb` in bytes."""
        return self.min_free_mb * 1_000_000
