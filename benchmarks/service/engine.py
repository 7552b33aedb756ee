"""An engine: a server that is started by a command and generates n images on an HTTP request."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

from benchmarks.service.answer import Answer

Ask = Callable[[httpx.Client, int], Answer]
"""Requests n images from a running engine, and returns after the last byte."""


class EngineError(Exception):
    """An engine did not start, or failed at a request."""


@dataclass(frozen=True)
class Engine:
    """A program of the comparison. A run fills in `{port}` and `{folder}` in its arguments and environment."""

    name: str
    arguments: tuple[str, ...]
    """Command line after the name of the Python interpreter."""
    ready: str
    """A path that answers with success once the engine is ready."""
    ask: Ask
    python: str = sys.executable
    environment: Mapping[str, str] = field(default_factory=dict)
    max_images: int | None = None
    """Largest n that is measured; None is unlimited."""
