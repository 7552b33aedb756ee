"""What can go wrong while a dataset or a checkpoint is made."""


class TrainingError(Exception):
    """Base of every error that this package raises."""


class UsageError(TrainingError):
    """The command line has to be changed."""


class DatasetError(TrainingError):
    """A source of images, or a dataset made from one, cannot be used."""


class RecipeError(TrainingError):
    """A recipe is unknown or holds a value that it may not hold."""


class DeviceError(TrainingError):
    """A run asks for devices that this machine does not have."""


class StateError(TrainingError):
    """A run cannot be resumed from what its folder holds."""


class MetricsError(TrainingError):
    """Figures cannot be measured with what is given or installed."""


class RecordError(TrainingError):
    """What a run wrote about itself cannot be read."""


class OutputError(TrainingError):
    """A file cannot be written where it was asked for."""


class ExportError(TrainingError):
    """A model cannot be written in another format."""
