"""Counters of all workers and API processes: one hash in Redis, whose numbers only grow."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator
from redis import Redis

COUNTERS_KEY = "imagemill:tally"
"""Hash of Count JSON to a number. It outlives the processes that count, but not a Redis that loses its data."""

Stage = Literal["rendering", "storing", "learning", "closing", "direct"]
CountName = Literal[
    "images_rendered",
    "direct_images",
    "images_stored",
    "bytes_stored",
    "stage_seconds",
    "jobs_ended",
    "attempts_crashed",
    "tasks_dropped",
    "tasks_requeued",
    "shards_rejected",
    "out_of_memory_halvings",
]
LABELS: Mapping[CountName, tuple[str, ...]] = {
    "images_rendered": ("model", "style_mode"),
    "direct_images": ("model",),
    "images_stored": ("model", "style_mode", "format"),
    "bytes_stored": ("model", "style_mode", "format"),
    "stage_seconds": ("stage", "style_mode"),
    "jobs_ended": ("outcome",),
    "attempts_crashed": (),
    "tasks_dropped": (),
    "tasks_requeued": (),
    "shards_rejected": (),
    "out_of_memory_halvings": (),
}


class Count(BaseModel):
    """The name and the labels of one counter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: CountName
    labels: tuple[str, ...] = ()
    """Values of the labels, in the order of LABELS."""

    @model_validator(mode="after")
    def _check_labels(self) -> Self:
        if len(self.labels) != len(LABELS[self.name]):
            raise ValueError(f"{self.name} has the labels {LABELS[self.name]}, got {self.labels}")
        return self

    def add(self, redis: Redis, by: float = 1) -> None:
        """Add to the counter. `redis` may be a pipeline."""
        redis.hincrbyfloat(COUNTERS_KEY, self.model_dump_json(), by)
