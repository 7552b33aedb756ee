"""The embedding of classes, and of mixtures of classes."""

from torch import Tensor, nn


def embed(embedding: nn.Embedding, labels: Tensor | None) -> Tensor:
    """Return the embeddings of labels. Labels in floating point are embeddings already: weighted means of several.

    Shapes: labels (n,) int64 or (n, dim); returns (n, dim).
    """
    if labels is not None and labels.is_floating_point():
        return labels
    found: Tensor = embedding(labels)
    return found
