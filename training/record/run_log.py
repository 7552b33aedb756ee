"""The log of a run: one JSON object per epoch and line. Only a resume removes lines."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from models import atomic_file
from training.errors import RecordError

LOG = "log.jsonl"


class EpochLine(BaseModel):
    """Means over one epoch. A score is a mean sigmoid of logits; 0.5 means that the discriminator guesses."""

    # JSON has no words for NaN and infinity, and a collapsed run has both: they become strings.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    epoch: int
    loss_g: float
    loss_d: float
    real_score: float
    fake_score: float
    images_seen: int
    images_per_s: float
    seconds: float
    generator_lr: float | None = None
    discriminator_lr: float | None = None
    metrics: dict[str, float] = {}
    """Figures of the last check in this epoch, by name; empty without a check."""
    events: tuple[str, ...] = ()
    """Interventions of the guard since the previous line, one sentence each."""

    def __str__(self) -> str:
        """Return the line for the terminal."""
        losses = f"loss_g {self.loss_g:.4f}  loss_d {self.loss_d:.4f}"
        scores = f"real_score {self.real_score:.4f}  fake_score {self.fake_score:.4f}"
        metrics = "".join(f"{name} {value:.4g}  " for name, value in self.metrics.items())
        return f"epoch {self.epoch:4d}  {losses}  {scores}  {metrics}{self.images_per_s:.0f} images/s"


def append(folder: Path, line: EpochLine) -> None:
    """Append a line to the run's log, whole or not at all."""
    atomic_file.append(folder / LOG, line.model_dump_json(exclude_defaults=True).encode() + b"\n")


def read(folder: Path) -> list[EpochLine]:
    """Read the run's log; a missing file is an empty log. Raises RecordError for a line that is not an epoch."""
    return [line for _, line in _lines(folder / LOG)]


def rewind(folder: Path, images_seen: int) -> None:
    """Drop the lines that a resumed run writes again: all after the last line of `images_seen`, and an incomplete line.

    A rolled-back part before that line stays. Raises RecordError for a line that is not an epoch, and changes nothing.
    """
    path = folder / LOG
    found = list(_lines(path))
    # From the end: lines before a rollback may have more images than the last kept one.
    while found and found[-1][1].images_seen > images_seen:
        found.pop()
    kept = b"".join(text for text, _ in found)
    if path.exists() and kept != path.read_bytes():
        atomic_file.write(path, kept)


def _lines(path: Path) -> Iterator[tuple[bytes, EpochLine]]:
    texts = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    for number, text in enumerate(texts, start=1):
        try:
            line = EpochLine.model_validate_json(text)
        except ValidationError as error:
            fault = error.errors()[0]
            if fault["type"] == "json_invalid":  # a crash cut it off
                continue
            place = ".".join(map(str, fault["loc"]))
            raise RecordError(
                f"{path}: line {number} is not the record of an epoch: {place}: {fault['msg']}"
            ) from error
        if text.endswith(b"\n"):
            yield text, line
