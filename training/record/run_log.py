"""The log of a run: a line of JSON per epoch, only ever added to, and cut back only by a resume."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from models import atomic_file
from training.errors import RecordError

LOG = "log.jsonl"


class EpochLine(BaseModel):
    """Means over one epoch. A score is a mean sigmoid of logits; 0.5 is a discriminator that guesses."""

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
    """By name, of the last measurement within this epoch, if there was one."""
    events: tuple[str, ...] = ()
    """What a guard did since the line before, a sentence each."""

    def __str__(self) -> str:
        """Render the line that a person reads."""
        losses = f"loss_g {self.loss_g:.4f}  loss_d {self.loss_d:.4f}"
        scores = f"real_score {self.real_score:.4f}  fake_score {self.fake_score:.4f}"
        metrics = "".join(f"{name} {value:.4g}  " for name, value in self.metrics.items())
        return f"epoch {self.epoch:4d}  {losses}  {scores}  {metrics}{self.images_per_s:.0f} images/s"


def append(folder: Path, line: EpochLine) -> None:
    """Add a line to the run's log, whole or not at all."""
    atomic_file.append(folder / LOG, line.model_dump_json(exclude_defaults=True).encode() + b"\n")


def read(folder: Path) -> list[EpochLine]:
    """Read the run's log; none yet is an empty one. Raises RecordError for a line that means something else."""
    return [line for _, line in _lines(folder / LOG)]


def rewind(folder: Path, images_seen: int) -> None:
    """Drop what a resumed run will write again: all after the last line of `images_seen`, and what a crash cut off.

    A time that a guard took back before that line stays. Raises RecordError for a line that means something else, and
    changes nothing then.
    """
    path = folder / LOG
    found = list(_lines(path))
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
            raise RecordError(f"{path}: line {number} is no epoch's: {place}: {fault['msg']}") from error
        if text.endswith(b"\n"):
            yield text, line
