"""Gates: where a worker waits for who watches it, so that a moment of microseconds is long enough to be hit."""

import time
from pathlib import Path

_POLL_SECONDS = 0.005


class Breakpoints:
    """Files in a folder that both sides know. A gate holds the first who comes to it, once it is armed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def arm(self, moment: str) -> None:
        """Hold who comes to this moment next."""
        self._armed(moment).touch()

    def is_reached(self, moment: str) -> bool:
        """Tell whether somebody is held."""
        return self._reached(moment).exists()

    def release(self, moment: str) -> None:
        """Let go who is held, and hold nobody else."""
        for path in (self._armed(moment), self._reached(moment)):
            path.unlink(missing_ok=True)

    def wait_at(self, moment: str) -> None:
        """Come to a moment: be held, if its gate is armed and nobody was before."""
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
