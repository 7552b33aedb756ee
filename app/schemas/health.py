"""The JSON objects of health checks."""

from typing import Literal

from pydantic import BaseModel


class Health(BaseModel):
    """The response of a successful health check."""

    status: Literal["ok"] = "ok"


class Parts(BaseModel):
    """The parts of the service that render a job. Each value is `ok` or the reason why the part does not work."""

    queue: str
    worker: str
    store: str
    disk: str


class Paused(BaseModel):
    """A worker that is alive but takes no tasks."""

    name: str
    device: str
    reason: str
    """The cause, and how to fix it."""


class Workers(BaseModel):
    """The number of workers that take tasks, and the workers that do not."""

    working: int
    paused: list[Paused]


class Ready(Health):
    """The response if all parts work."""

    parts: Parts
    workers: Workers | None = None
    """Present if at least one worker takes no tasks."""
