"""The measured costs of images on a worker, in seconds and bytes. Estimates of jobs are computed from them."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from worker.contracts.catalog import Sha256
from worker.contracts.formats import Format


class FileSizes(BaseModel):
    """Sizes of a model's images as files of one format, in a sample."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    mean_bytes: tuple[float, ...]
    """Mean size of the files of each class, in label order. An unconditional model counts as one class."""
    deviation: float
    """Standard deviation of one file of a class, as a share of the mean."""
    images: int
    """Number of images of each class in the sample."""


class ModelCosts(BaseModel):
    """Costs of one model's images on one worker, which uses all its threads."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sizes: Mapping[Format, FileSizes]
    together: int = 1
    """Number of images that take as long as one: with fewer, threads are idle, or a batch is drawn for nothing."""
    image_seconds: Mapping[Format, float]
    """Time to render and encode one image of many, by format."""
    candidate_seconds: float | None = None
    """Time to score one candidate of many; None without a quality gate."""
    styling_seconds: float | None = None
    """Time of one step of the style mode `standard` for one image of many; None before the first styled shard."""
    learning_seconds: float | None = None
    """Time of one step of learning a style; None before a style was learnt."""


class WorkerCosts(BaseModel):
    """Costs of the images of all models of one worker."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    threads: int
    styled_together: int | None = None
    """Number of images that the worker styles at once; None from an older worker, which styles four in each thread."""
    models: Mapping[Sha256, ModelCosts]
