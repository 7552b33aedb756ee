"""A worker's settings, read once from the environment."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from worker.contracts.environment import Environment


class WorkerSettings(Environment):
    """Settings that only a worker reads."""

    models: str | None = None
    """A folder, or a URL like s3://bucket/models: checkpoints that are loaded in addition to the included ones."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    vgg19: Path | None = None
    """VGG19's weights: safetensors with torchvision's keys. Without them, the worker offers no style transfer."""
    learnt_mb: int = Field(default=2000, ge=1)
    """Megabytes of distilled models that the store keeps. The oldest are removed first."""
    watchdog_seconds: float = Field(default=300, gt=0, le=86_400)
    """Longest time of one batch or one step of style transfer. After it, the process ends and is restarted."""
    heartbeat_file: Path | None = None
    """A file that the worker touches while it is alive, for `imagemill worker --check` and other health checks."""
    threads: int | None = Field(default=None, ge=1)
    """Number of threads that render and encode; by default one for each core."""
