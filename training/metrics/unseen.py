"""Tells whether a model can have seen the images that a dataset holds out."""

from models.checkpoint import Header
from training.dataset.dataset_files import Description


def reason_for_doubt(header: Header, description: Description) -> str:
    """Return why a model may have seen the held-out images of a dataset; empty if it cannot have seen them.

    A model is safe if the whole training part of this very dataset was all it ever learnt from.
    """
    if not header.data.sha256:
        return f"the checkpoint of {header.name} does not tell which images it was trained on"
    if header.data.sha256 != description.sha256:
        return f"{header.name} was trained on other data (sha256 {header.data.sha256[:12]})"
    if begun_from := header.recipe.get("begun_from"):
        return f"{header.name} began with the weights of {begun_from}"
    return ""
