"""The API's settings, read once from the environment."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from worker.contracts.logs import LogFormat


class Settings(BaseSettings):
    """Environment variables IMAGEMILL_REDIS_URL, IMAGEMILL_STORE, and so on."""

    model_config = SettingsConfigDict(env_prefix="IMAGEMILL_", frozen=True)

    redis_url: str = "redis://127.0.0.1:6379/0"
    store: str = "imagemill-data/store"
    """A folder, or a URL like s3://bucket/prefix; the same as the workers'."""
    default_model: str = "faces-64"
    """Rendered when a request names none; if no worker has it, the first model by name."""
    max_images: int = Field(default=100_000, ge=1)
    """Largest n of one request."""
    shard_images: int | None = Field(default=None, ge=1)
    """Images in a shard; by default about a second of work, as the workers measured."""
    reconcile_every_seconds: float = Field(default=5, gt=0)
    least_free_mb: int = Field(default=256, ge=0)
    """Megabytes: with less on the store's disk the service is not ready."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: LogFormat = "text"
