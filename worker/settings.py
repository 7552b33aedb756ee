"""A worker's settings, read once from the environment."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from worker.contracts.logs import LogFormat


class WorkerSettings(BaseSettings):
    """Environment variables IMAGEMILL_REDIS_URL, IMAGEMILL_STORE, and so on."""

    model_config = SettingsConfigDict(env_prefix="IMAGEMILL_", frozen=True)

    redis_url: str = "redis://127.0.0.1:6379/0"
    store: str = "imagemill-data/store"
    """A folder, or a URL like s3://bucket/prefix; the same as the API's."""
    models: Path | None = None
    """A folder of further checkpoints, beside the shipped ones."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    vgg19: Path | None = None
    """VGG19's weights for style transfer: safetensors with torchvision's keys. Without them, there is none."""
    learnt_mb: int = Field(default=2000, ge=1)
    """Megabytes of learnt styles that are kept, the last ones."""
    watchdog_seconds: float = Field(default=300, gt=0)
    """After which a batch, or a step of styling, is taken to hang: the process ends, to be started again."""
    threads: int | None = Field(default=None, ge=1)
    """Threads that render and encode; by default one for each core."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: LogFormat = "text"
