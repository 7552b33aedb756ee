"""Names of the files of a model in the store, which the page shows and reads."""

from enum import StrEnum


class ModelFile(StrEnum):
    """A file of a model. A number is the version of a format. A new version gets a new name, because browsers cache."""

    ENGINE = "engine-1.json"
    """The program of the model for the engine in the browser."""
    WEIGHTS = "weights-1.bin"
    """The weights that the program reads."""
    SLIDERS = "sliders.json"
    """Named directions between latents."""
    CARD = "card.md"
    GRID = "grid.png"
    STRIP = "strip.png"
    PLOTS = "plots.png"
