"""The API's settings, read once from the environment."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from worker.contracts.environment import Environment
from worker.contracts.jobs import DEFAULT_TTL_HOURS


class Settings(Environment):
    """What only the API reads."""

    default_model: str = "faces-64"
    """Rendered when a request names none; if no worker has it, the first model by name."""
    max_images: int = Field(default=100_000, ge=1)
    """Largest n of one request."""
    ttl_hours: int = Field(default=DEFAULT_TTL_HOURS, ge=1)
    """How long images are kept from the end of their job, at most."""
    min_free_mb: int = Field(default=500, ge=0)
    """Megabytes of the store's disk that no new job may need; with less, the service is not ready."""
    shard_images: int | None = Field(default=None, ge=1)
    """Images in a shard; by default about a second of work, as the workers measured."""
    keys: Path | None = None
    """A file that `imagemill keys` made. Without one, everybody is let in, as the same owner."""
    open: Literal["anyone"] | None = None
    """Says that everybody is to be let in on other addresses than loopback too."""
    reconcile_every_seconds: float = Field(default=5, gt=0)

    @property
    def min_free_bytes(self) -> int:
        """The same as `min_free_mb`, in bytes."""
        return self.min_free_mb * 1_000_000
