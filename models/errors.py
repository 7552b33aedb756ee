"""What can go wrong with a model."""


class ModelError(Exception):
    """Base of every error that this package raises."""


class LatentError(ModelError):
    """A seed, an index or a dimension lies outside the address space of latents."""


class CheckpointError(ModelError):
    """A file is not a checkpoint that this version can load."""


class PixelError(ModelError):
    """An image file holds pixels of which nobody can say what they look like."""
