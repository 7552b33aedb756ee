"""The body of POST /preview."""

import math

from pydantic import BaseModel, ConfigDict, Field

from worker.contracts.points import Point
from worker.contracts.previews import MAX_POINTS


class PreviewRequest(BaseModel):
    """The points whose images a preview shows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str | None = Field(
        default=None, description="Name of a model from /models, or its sha256. Default: the server's default model."
    )
    points: tuple[Point, ...] = Field(min_length=1, max_length=MAX_POINTS)
    columns: int | None = Field(
        default=None, ge=1, le=MAX_POINTS, description="Images in a row. Default: about as many as rows."
    )

    @property
    def columns_or_default(self) -> int:
        """Images in a row."""
        return min(len(self.points), self.columns or math.ceil(math.sqrt(len(self.points))))
