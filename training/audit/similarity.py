"""Similar images by their hashes: within a dataset, and between a dataset and the training images."""

from pydantic import BaseModel, ConfigDict

from models.image_hash import Hashes, count_close_pairs, count_near

CLOSE_BITS, COPY_BITS = 3, 2
"""Hashes of a close pair, and of a copy of a training image, differ in at most so many bits."""
_COMPARED = 4000
"""Most images of each kind that are compared with each other. More would only cost time."""


class Similarity(BaseModel):
    """Similar images of a dataset, next to the same of real images."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    compared: int
    """Number of images of each kind that were compared with each other."""
    close_pairs: int
    close_real_pairs: int
    """Number of close pairs among as many real images."""
    identical: int
    """Number of images whose pixels equal those of an earlier image."""
    hash_copies: float
    """Share of images whose hash is that of a training image, but for two bits."""
    hash_copies_of_reals: float
    """The same share of real images: held-out ones, or else training images among the others."""


def measure(found: Hashes, training: Hashes, held_out: Hashes | None, identical: int) -> Similarity:
    """Compare the hashes of a dataset with those of real images. All hashes are in random order."""
    reals = training if held_out is None else held_out
    compared = min(len(found), len(reals), _COMPARED)
    # A training image is near itself, so it needs a second one.
    least = 2 if held_out is None else 1
    return Similarity(
        compared=compared,
        close_pairs=count_close_pairs(found[:compared], CLOSE_BITS),
        close_real_pairs=count_close_pairs(reals[:compared], CLOSE_BITS),
        identical=identical,
        hash_copies=float((count_near(found, training, COPY_BITS) >= 1).mean()),
        hash_copies_of_reals=float((count_near(reals[:_COMPARED], training, COPY_BITS) >= least).mean()),
    )
