"""Writes all records of a run. A failed write never ends a run."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from PIL import Image

from models import atomic_file
from models.checkpoint import Header
from training.errors import TrainingError
from training.record import model_card, plot, png_bytes, run_log, tensorboard_log
from training.record.run_log import EpochLine

_REDRAW_SECONDS = 20.0
"""Shortest time between two plots. A plot takes half a second of a CPU."""


class Recorder:
    """Writes the log, grids, plots, TensorBoard files, strips and cards into a run's folder.

    A failed write is skipped. `warn` receives one sentence about it, and no repetition until that kind of write
    succeeds again.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        warn: Callable[[str], None],
        images_seen: int = 0,
        floor: Mapping[str, float] | None = None,
    ) -> None:
        """Continue after `images_seen`. Later records come from a run that was interrupted before it saved its state;
        they are dropped.

        `floor` has the metrics between real images, by name.
        """
        self._folder, self._name, self._warn = folder, name, warn
        self._images_seen, self._floor = images_seen, floor or {}
        self._tensorboard: tensorboard_log.TensorBoardLog | None = None
        self._write_card: Callable[[], None] | None = None
        self._plotted_at = -_REDRAW_SECONDS
        self._warned: dict[str, str] = {}
        self._attempt("the log", lambda: run_log.rewind(folder, images_seen))

    def record_epoch(self, line: EpochLine, grid: Image.Image | None = None) -> None:
        """Record the end of an epoch. Call it before the state is saved, because a resume drops surplus lines."""
        self._attempt("the log", lambda: run_log.append(self._folder, line))
        self._attempt("files for TensorBoard", lambda: self._write_events(line, grid))
        if grid is not None:
            samples = self._folder / "samples" / f"images-{line.images_seen:09d}.png"
            self._attempt("samples", lambda: atomic_file.write(samples, png_bytes.encode(grid)))
        if time.monotonic() - self._plotted_at > _REDRAW_SECONDS:
            self._plot()

    def publish(self, header: Header, grid: Image.Image, strip: Image.Image | None = None) -> None:
        """Write the pictures and the card of a checkpoint next to it."""
        beside = self._folder / header.name
        self._attempt(
            "the grid", lambda: atomic_file.write(beside.with_name(f"{header.name}.png"), png_bytes.encode(grid))
        )
        if strip is not None:
            self._attempt(
                "the strip",
                lambda: atomic_file.write(beside.with_name(f"{header.name}-strip.png"), png_bytes.encode(strip)),
            )
        self._write_card = partial(model_card.write, self._folder, header)
        self._attempt("the card", self._write_card)

    def close(self) -> None:
        """Draw the final plots, and write the card of the last checkpoint again, which shows them."""
        self._plot()
        if self._write_card:
            self._attempt("the card", self._write_card)

    def _plot(self) -> None:
        self._attempt("plots", self._write_plots)
        self._plotted_at = time.monotonic()

    def _write_plots(self) -> None:
        if lines := run_log.read(self._folder):
            atomic_file.write(self._folder / model_card.PLOTS, plot.draw(lines, self._name, self._floor))

    def _write_events(self, line: EpochLine, grid: Image.Image | None) -> None:
        self._tensorboard = self._tensorboard or tensorboard_log.TensorBoardLog(self._folder, self._images_seen)
        self._tensorboard.add(line, grid)

    def _attempt(self, what: str, write: Callable[[], None]) -> None:
        warning = _try_to_write(what, write)
        # The same failure after every epoch is reported once.
        if warning and warning != self._warned.get(what):
            self._warn(warning)
        self._warned[what] = warning


def _try_to_write(what: str, write: Callable[[], None]) -> str:
    """Write a record. Returns a sentence about the failure, or an empty string."""
    try:
        write()
    except ModuleNotFoundError as error:
        return f"no {what} without {str(error.name).partition('.')[0]}: pip install 'imagemill[training]'"
    except (OSError, TrainingError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        return f"could not write {what} ({reason or error}); training goes on"
    return ""
