"""The API's settings, read once from the environment."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Environment variables IMAGEMILL_REDIS_URL, IMAGEMILL_STORE, and so on."""

    model_config = SettingsConfigDict(env_prefix="IMAGEMILL_", env_ignore_empty=True, frozen=True)

    redis_url: str = "redis://127.0.0.1:6379/0"
    store: str = "imagemill-data/store"
    """A folder, or a URL like s3://bucket/prefix; the same as the workers'."""
    default_model: str = "faces-64"
    """Rendered when a request names none; if no worker has it, the first model by name."""
    max_images: int = Field(default=100_000, ge=1)
    """Largest n of one request."""
    shard_images: int | None = Field(default=None, ge=1)
    """Images in a shard; by default about a second of work, as the workers measured."""
    keys: Path | None = None
    """A file that `imagemill keys` made. Without one, everybody is let in, as the same owner."""
    open: Literal["anyone"] | None = None
    """Says that everybody is to be let in on other addresses than loopback too."""
    reconcile_every_seconds: float = Field(default=5, gt=0)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
