"""The errors of this package."""


class TrainingError(Exception):
    """Base of every error that this package raises."""


class UsageError(TrainingError):
    """The command line must be changed."""


class DatasetError(TrainingError):
    """A source of images, or a dataset, cannot be used."""


class RecipeError(TrainingError):
    """A recipe is unknown, or one of its values is out of range."""


class DeviceError(TrainingError):
    """A run needs devices that this machine does not have."""


class StateError(TrainingError):
    """The state of a run cannot be read, or does not fit."""


class MetricsError(TrainingError):
    """Metrics cannot be computed with these inputs or installed packages."""


class RecordError(TrainingError):
    """A run's log cannot be read."""


class OutputError(TrainingError):
    """A file cannot be written at the requested path."""


class ExportError(TrainingError):
    """A model cannot be exported to another format."""
