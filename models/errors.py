"""The exceptions of this package."""


class ModelError(Exception):
    """Base class of every exception of this package."""


class LatentError(ModelError):
    """A seed, an index or a dimension is out of range."""


class CheckpointError(ModelError):
    """A file cannot be loaded as a checkpoint by this version."""


class PixelError(ModelError):
    """The pixels of an image file have no defined appearance, e.g. since black and white are unknown."""
