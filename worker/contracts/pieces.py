"""The pieces of a dataset: which candidates lie in which shard of which job.

A dataset of one job has one piece for each shard. An extended dataset also has pieces in the jobs that hold its
beginning, its ancestors. Shards are numbered in the whole dataset. So a shard has several pieces if an ancestor ends
inside it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from worker.contracts.cut import Cut

JOB_ID_PATTERN = r"^[A-Za-z0-9_-]{22}$"
"""22 characters from `secrets.token_urlsafe(16)`."""

JobId = Annotated[str, StringConstraints(pattern=JOB_ID_PATTERN)]


class Ancestor(BaseModel):
    """A job whose images are the beginning of an extended dataset. The extension does not store them again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job: JobId
    n: int = Field(ge=1)
    """Number of its images that the dataset has: all, unless the user has thrown out some."""
    stop: int = Field(ge=1)
    """Index after its last candidate. The next job goes on there."""


class Span(NamedTuple):
    """The candidates of a dataset that one job renders."""

    job_id: str
    start: int
    """Index of the first candidate."""
    stop: int
    """Index after the last candidate."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The candidates of a dataset that one shard of one job holds."""

    number: int
    """Position among the pieces of the dataset."""
    job_id: str
    shard: int
    indices: range
    """Indices of the candidates. The first one is the first candidate of the shard's data object."""


def pieces(cut: Cut, first: int, spans: Sequence[Span]) -> Iterator[Piece]:
    """Yield the pieces of a dataset in the order of their indices. `first` is the index of its first candidate."""
    number = 0
    for span in spans:
        for shard in _shards(cut, first, span):
            yield Piece(number, span.job_id, shard, shard_indices(cut, first, span, shard))
            number += 1


def find_piece(cut: Cut, first: int, spans: Sequence[Span], index: int) -> Piece:
    """Return the piece of a candidate. Raises ValueError for an index beyond the dataset."""
    number = 0
    for span in spans:
        shards = _shards(cut, first, span)
        if index < span.stop:
            shard = cut.shard_of(index - first)
            indices = shard_indices(cut, first, span, shard)
            return Piece(number + shard - shards.start, span.job_id, shard, indices)
        number += len(shards)
    raise ValueError(f"index {index} is beyond the candidates of the dataset")


def shard_indices(cut: Cut, first: int, span: Span, shard: int) -> range:
    """Return the indices of a job's candidates in a shard of the dataset."""
    return range(max(first + cut.start(shard), span.start), min(first + cut.start(shard + 1), span.stop))


def _shards(cut: Cut, first: int, span: Span) -> range:
    if span.start == span.stop:  # the ancestors of an extension had all its images among those that they did not keep
        return range(0)
    return range(cut.shard_of(span.start - first), cut.shard_of(span.stop - first - 1) + 1)
