"""The JSON objects that describe models."""

from pydantic import BaseModel

from worker.contracts.catalog import CatalogEntry, GateEffect, SetAside, Sha256
from worker.contracts.model_files import ModelFile


class Model(CatalogEntry):
    """A model that can render images."""

    default: bool
    workers: int
    """Number of live workers that can render this model now."""
    images_per_s: float | None
    """Sum of the speeds that these workers measured on their last shards."""
    gate: Sha256 | None
    """Checksum of the model's quality gate; None if there is none, so that keep and copies=drop are refused."""
    training_images: dict[str, int] | None
    """Number of training images of each class; None if unknown."""
    class_yields: dict[str, float] | None
    """Share of the images of each class that pass the realism test without a gate; None if unknown."""
    effects: tuple[GateEffect, ...]
    """Quality for several values of keep. The first one is without the gate."""
    judge: str | None
    """Feature network of these figures."""
    files: list[ModelFile]
    """Files that the page shows and reads. With engine-1.json, a browser can draw the images itself."""
    sliders: Sha256 | None
    """Checksum of the file of the model's sliders; None if it has none."""
    slider_names: tuple[str, ...]
    """Names that `shift` takes."""


class SetAsideFile(SetAside):
    """A file that workers cannot use: a checkpoint, a folder of checkpoints or the weights of style transfer."""

    workers: int
    """Number of live workers that have set this file aside."""


class ModelList(BaseModel):
    """All models that can render images."""

    models: list[Model]
    set_aside: list[SetAsideFile]
    """Files that workers cannot use, with the reasons."""
