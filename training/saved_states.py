"""The states that a run keeps in its folder: the latest, and that of the last check that found nothing wrong."""

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
"""The state at the last check that found nothing wrong: where a rollback goes."""


def write(folder: Path, position: Position, networks: Networks, sums: Tensor, *, healthy: bool) -> None:
    """Save the latest state, and as the healthy one, too. Raises StateError when it cannot be written."""
    with explain_write_errors(folder, position.step):
        state.save(folder / STATE, position, networks, sums)
        if healthy:
            atomic_file.write(folder / HEALTHY, (folder / STATE).read_bytes())


@contextmanager
def explain_write_errors(folder: Path, step: int) -> Iterator[None]:
    """Say of a file that could not be written what is left of the run. Raises StateError in place of OSError."""
    try:
        yield
    except OSError as error:
        raise StateError(
            f"the run could not be saved at step {step} ({error.strerror or error}); "
            f"what was saved before in {folder} is whole and can be resumed"
        ) from error
