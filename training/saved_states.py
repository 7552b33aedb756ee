"""Saves the latest state of a run, and the state of its last healthy check."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torch import Tensor

from models import atomic_file
from training import state
from training.errors import StateError
from training.networks import Networks
from training.run_plan import STATE
from training.state import Position

HEALTHY = "healthy.safetensors"
"""The state at the last healthy check. A rollback restores it."""


def write(folder: Path, position: Position, networks: Networks, sums: Tensor, *, healthy: bool) -> None:
    """Save the latest state, and also as the healthy state if `healthy`. Raises StateError when writing fails."""
    with explain_write_errors(folder, position.step):
        state.save(folder / STATE, position, networks, sums)
        if healthy:
            # A copy of the bytes costs less than serialising the tensors twice.
            atomic_file.write(folder / HEALTHY, (folder / STATE).read_bytes())


@contextmanager
def explain_write_errors(folder: Path, step: int) -> Iterator[None]:
    """Raise StateError in place of OSError, and say which files are still usable."""
    try:
        yield
    except OSError as error:
        raise StateError(
            f"the run could not be saved at step {step} ({error.strerror or error}); "
            f"the state that was saved before in {folder} is complete and can be resumed"
        ) from error
