"""What a run leaves behind to be looked at: a numbered folder with a log, grids of samples, plots and a card."""

from training.record.folder import new_folder
from training.record.log import EpochLine
from training.record.recorder import Recorder

__all__ = ["EpochLine", "Recorder", "new_folder"]
