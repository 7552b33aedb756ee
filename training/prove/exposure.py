"""Whether a generator can have seen the test images. An accuracy on seen images proves nothing."""

import numpy as np
import torch
from torch import Tensor

from training.dataset import near_duplicates
from training.dataset.dataset_files import Dataset
from training.errors import MetricsError
from training.prove.source import Source


def doubt(source: Source, data: Dataset, trained_on: Dataset | None) -> str:
    """Return why the generator may have seen the test images. Empty if it has not.

    `trained_on` is the dataset of the generator, if that is another one than `data`. Raises CheckpointError.
    """
    name, header = data.description.name, source.header
    if data.held_out is None:
        return f"{name} has no held-out part; make the dataset again with: imagemill dataset --hold-out 0.25"
    if header is None:
        return f"{source.name} is a set of images; name their checkpoint with --made-by"
    digest = header.data.sha256
    if not digest:
        return f"{header.name} does not say which images it was trained on; train it again with this version"
    if digest == data.description.sha256 or (trained_on and digest == trained_on.description.sha256):
        return ""
    wrong = f" nor {trained_on.description.name}" if trained_on else ""
    return (
        f"{header.name} was trained on {header.data.name} (sha256 {digest[:12]}), which is not the training part of "
        f"{name}{wrong}; name its dataset with --trained-on"
    )


def require(source: Source, data: Dataset, trained_on: Dataset | None, is_allowed: bool) -> str:
    """Return the doubt. Raises MetricsError if there is one, unless it `is_allowed`."""
    found = doubt(source, data, trained_on)
    if found and not is_allowed:
        raise MetricsError(
            f"cannot tell that the generator has not seen the test images: {found}; "
            "--overlap measures all the same, and says so"
        )
    return found


def unseen(data: Dataset, trained_on: Dataset) -> Tensor:
    """Return which held-out images of `data` have no duplicate or near-duplicate in another training set.

    Shapes: returns (m,) bool. Raises MetricsError if the sizes differ or none is left.
    """
    if data.held_out is None:
        raise MetricsError(f"{data.description.name} has no held-out part")
    if trained_on.description.resolution != data.description.resolution:
        raise MetricsError(
            f"{trained_on.description.name} holds {trained_on.description.resolution} px images, "
            f"{data.description.name} holds {data.description.resolution} px"
        )
    together = np.concatenate([trained_on.images.numpy(), data.held_out.images.numpy()])
    known = len(trained_on.images)
    # A group has the number of its first image, and the images of the training come first.
    result = torch.from_numpy(near_duplicates.groups(together)[known:] >= known)
    if not result.any():
        raise MetricsError(f"all held-out images of {data.description.name} are in {trained_on.description.name}")
    return result
