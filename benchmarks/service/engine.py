"""What is compared: a server that is started by a command and asked for n images over HTTP."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

from benchmarks.service.answer import Answer

Ask = Callable[[httpx.Client, int], Answer]
"""Asks a running engine for n images, and returns once the last byte is here."""


class EngineError(Exception):
    """An engine did not start, or did not do what was asked of it."""


@dataclass(frozen=True)
class Engine:
    """One of the things compared; a run fills in `{port}` and `{folder}` in its arguments and environment."""

    name: str
    arguments: tuple[str, ...]
    """What follows the name of the Python interpreter."""
    ready: str
    """A path that answers with success once the engine does."""
    ask: Ask
    python: str = sys.executable
    environment: Mapping[str, str] = field(default_factory=dict)
