"""Writes the log and the grids for TensorBoard: `tensorboard --logdir runs`.

TensorBoard's own writer uses a thread, which fails on a full disk with a traceback and half a record. Here the caller
writes every record, whole or not at all.
"""

import io
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from models import atomic_file
from training.record import png_bytes
from training.record.run_log import EpochLine

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event

FOLDER = "tensorboard"


class TensorBoardLog:
    """An event file of this process, next to those of earlier processes. The step is the number of images seen."""

    def __init__(self, folder: Path, images_seen: int) -> None:
        """Start after `images_seen` and hide later events of earlier files. Raises ImportError without TensorBoard."""
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog

        self._path = folder / FOLDER / f"events.out.tfevents.{time.time_ns()}.{os.getpid()}"
        self._add(Event(file_version="brain.Event:2"))
        # TensorBoard hides events of earlier files from this step on.
        self._add(Event(step=images_seen + 1, session_log=SessionLog(status=SessionLog.START)))

    def add(self, line: EpochLine, grid: Image.Image | None) -> None:
        """Add the values of a line, and the grid if there is one."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in _scalars(line).items()]
        if grid is not None:
            size = {"height": grid.height, "width": grid.width, "colorspace": 3}
            values.append(
                Summary.Value(tag="samples", image=Summary.Image(**size, encoded_image_string=png_bytes.encode(grid)))
            )
        self._add(Event(step=line.images_seen, summary=Summary(value=values)))

    def _add(self, event: "Event") -> None:
        from tensorboard.summary.writer.record_writer import RecordWriter

        event.wall_time = time.time()
        record = io.BytesIO()
        RecordWriter(record).write(event.SerializeToString())
        atomic_file.append(self._path, record.getvalue())


def _scalars(line: EpochLine) -> dict[str, float]:
    scalars = {
        "loss/generator": line.loss_g,
        "loss/discriminator": line.loss_d,
        "score/real": line.real_score,
        "score/fake": line.fake_score,
        "learning_rate/generator": line.generator_lr,
        "learning_rate/discriminator": line.discriminator_lr,
        "progress/epoch": line.epoch,
        "progress/images_per_s": line.images_per_s,
        "progress/seconds": line.seconds,
    } | {f"metrics/{name}": value for name, value in line.metrics.items()}
    return {tag: value for tag, value in scalars.items() if value is not None}
