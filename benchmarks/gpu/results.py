"""Keeps the results of a section: each one is on the disk before the next measurement begins."""

import json
import os
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE = "results.jsonl"


class Results:
    """Appends results to a file, one JSON object a line."""

    def __init__(self, folder: Path, section: str) -> None:
        self._file, self._section, self._began = folder / FILE, section, time.monotonic()

    def add(self, what: str, value: object, **details: object) -> None:
        """Keep one result, and print it."""
        head = {"section": self._section, "at_s": round(time.monotonic() - self._began, 1), "what": what}
        line = json.dumps({**head, "value": value, **details})
        print(line, flush=True)  # noqa: T201
        with self._file.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def attempt(self, what: str, **details: object) -> Iterator[None]:
        """Keep the reason if a measurement fails. The section goes on with the next one."""
        try:
            yield
        except Exception as error:
            traceback.print_exc()
            self.add(what, None, error=f"{type(error).__name__}: {str(error)[:500]}", **details)
