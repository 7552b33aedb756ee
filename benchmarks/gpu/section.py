"""`python -m benchmarks.gpu.section NAME OPTIONS`: runs one section in this process. `benchmarks.gpu` starts it."""

import json
import signal
import sys
import time
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Self, TypeVar

import torch

from benchmarks.gpu.results import Results

_T = TypeVar("_T")

SECTIONS = {
    "environment": 30,
    "service": 130,
    "style": 80,
    "render": 60,
    "faults": 90,
    "data": 60,
    "training": 80,
    "run": 400,
}
"""All sections in their order, with the largest number of seconds that each may take."""


@dataclass(frozen=True)
class Options:
    """The options of all sections."""

    out: str
    """Folder of the results."""
    work: str
    """Folder for datasets and runs, which are not results."""
    seconds: float
    """Time limit of the section."""
    is_small: bool
    """Measure little, to show that everything works."""
    vgg19: str = ""
    painting: str = ""
    images: str = ""
    """The files of the command line; empty if they were not given."""

    @property
    def device(self) -> torch.device:
        """The GPU, or the CPU without one."""
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")

    @property
    def dataset(self) -> Path:
        """Folder of the dataset that the section `data` writes."""
        return Path(self.work) / "dataset"

    def pick(self, small: _T, full: _T) -> _T:
        """Choose between the value of a small run and that of a full one."""
        return small if self.is_small else full

    def to_json(self) -> str:
        """Return the options as one argument of a command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read the options of `to_json`."""
        return cls(**json.loads(text))


class Deadline:
    """The end of a section's time."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left."""
        return self._end - time.monotonic()


def main(name: str, options: Options) -> None:
    """Run a section, and keep its results."""
    # An exception, so that context managers end their processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    results = Results(Path(options.out), name)
    module = import_module(f"benchmarks.gpu.{name}_section")
    module.measure(options, results, Deadline(options.seconds))


if __name__ == "__main__":
    main(sys.argv[1], Options.from_json(sys.argv[2]))
