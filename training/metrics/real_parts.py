"""The real images of a comparison: the training images of a dataset, and its held-out images."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from models.checkpoint import Header
from training.dataset import dataset_files
from training.dataset.dataset_files import Dataset, Description
from training.metrics import figures, reference, unseen
from training.metrics.features import Extractor
from training.metrics.reference import Reference

ProgressFactory = Callable[[str, int], Callable[[int], None]]
"""Creates a progress callback from a label and a total."""


class RealParts(NamedTuple):
    """The features of both parts of a dataset."""

    training: Reference
    held_out: Reference | None
    """None if too few images are held out."""

    @property
    def reals(self) -> Reference:
        """The images to compare with: the held-out ones if there are enough of them."""
        return self.held_out or self.training

    @property
    def separate_training(self) -> Reference | None:
        """The training images if the images to compare with are others."""
        return self.training if self.held_out else None


def load(data: Dataset, extractor: Extractor, folder: Path, progress_for: ProgressFactory) -> RealParts:
    """Return the features of the training images, and of the held-out images if there are enough of them."""
    count = data.description.count
    training = reference.load_or_extract(data, extractor, folder, progress_for("real images", count))
    held_out = dataset_files.held_out_dataset(data)
    if held_out is None or held_out.description.count < figures.LEAST_HELD_OUT:
        return RealParts(training, None)
    progress = progress_for("held-out images", held_out.description.count)
    return RealParts(training, reference.load_or_extract(held_out, extractor, folder, progress, reference.HELD_OUT))


def describe(description: Description, parts: RealParts, header: Header | None) -> str:
    """Describe the images of a comparison, and whether the model has seen them. Images have no header."""
    if parts.held_out is None:
        few = f", because only {description.held_out:,} are held out and {figures.LEAST_HELD_OUT:,} are needed"
        return f"the {description.count:,} training images{few * bool(description.held_out)}"
    found = f"{description.held_out:,} held-out images"
    if header is None:
        return f"{found}; it is not known which images the samples were learnt from"
    doubt = unseen.reason_for_doubt(header, description)
    return f"{found}; the model may have seen them: {doubt}" if doubt else f"{found} that the model has not seen"
