"""A worker's settings, read once from the environment."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from worker.contracts.environment import Environment


class WorkerSettings(Environment):
    """What only a worker reads."""

    models: Path | None = None
    """A folder of further checkpoints, beside the shipped ones."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    vgg19: Path | None = None
    """VGG19's weights for style transfer: safetensors with torchvision's keys. Without them, there is none."""
    learnt_mb: int = Field(default=2000, ge=1)
    """Megabytes of learnt styles that are kept, the last ones."""
    watchdog_seconds: float = Field(default=300, gt=0, le=86_400)
    """After which a batch, or a step of styling, is taken to hang: the process ends, to be started again."""
    heartbeat_file: Path | None = None
    """A file that the worker touches while it is alive, for `imagemill worker --check` and cheaper health checks."""
    threads: int | None = Field(default=None, ge=1)
    """Threads that render and encode; by default one for each core."""
