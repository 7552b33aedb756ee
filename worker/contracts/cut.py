"""Division of a job into shards."""

from bisect import bisect_right

from pydantic import BaseModel, ConfigDict, Field


class Cut(BaseModel):
    """Division of a job into shards. The first shard is small, so that images come soon; later ones grow to a maximum.

    Each shard has four times the images of the one before, until `most` is reached.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: int = Field(ge=1)
    """Number of images in the first shard."""
    most: int = Field(ge=1)
    """Largest number of images in a shard."""

    def start(self, shard: int) -> int:
        """Return the position of a shard's first image in the job."""
        starts = self._growing_starts
        grown = len(starts) - 1
        return starts[shard] if shard <= grown else starts[grown] + (shard - grown) * self.most

    def shard_of(self, position: int) -> int:
        """Return the number of the shard that contains the image at a position of the job."""
        starts = self._growing_starts
        if position < starts[-1]:
            return bisect_right(starts, position) - 1
        return len(starts) - 1 + (position - starts[-1]) // self.most

    @property
    def _growing_starts(self) -> list[int]:
        """Positions where the shards smaller than `most` start, and where the first shard of `most` images starts.

        The list is short even for jobs of many shards, because sizes grow by four.
        """
        starts, size = [0], self.first
        while size < self.most:
            starts.append(starts[-1] + size)
            size *= 4
        return starts
