"""Breakpoints: a worker waits at a moment of microseconds until the benchmark has applied a fault."""

import time
from pathlib import Path

_POLL_SECONDS = 0.005


class Breakpoints:
    """Files in a folder that worker and benchmark share. An armed breakpoint stops the first worker that reaches it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def arm(self, moment: str) -> None:
        """Stop the next worker that reaches this moment."""
        self._armed(moment).touch()

    def is_reached(self, moment: str) -> bool:
        """Return whether a worker is stopped at this moment."""
        return self._reached(moment).exists()

    def release(self, moment: str) -> None:
        """Let the stopped worker continue, and disarm the breakpoint."""
        for path in (self._armed(moment), self._reached(moment)):
            path.unlink(missing_ok=True)

    def wait_at(self, moment: str) -> None:
        """Wait here if the breakpoint is armed and no other worker was stopped by it."""
        try:
            self._armed(moment).rename(self._reached(moment))
        except FileNotFoundError:
            return
        while self._reached(moment).exists():
            time.sleep(_POLL_SECONDS)

    def _armed(self, moment: str) -> Path:
        return self.folder / f"{moment}.armed"

    def _reached(self, moment: str) -> Path:
        return self.folder / f"{moment}.reached"
