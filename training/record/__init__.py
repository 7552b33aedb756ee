"""The records of a run: a numbered folder with a log, grids of samples, plots and a card."""

from training.record.recorder import Recorder
from training.record.run_folder import create_folder
from training.record.run_log import EpochLine

__all__ = ["EpochLine", "Recorder", "create_folder"]
