"""The formats of images and archives that a job can have, and their versions."""

from typing import Literal

Format = Literal["png", "webp", "jpeg", "npz"]
SUFFIXES: dict[Format, str] = {"png": "png", "webp": "webp", "jpeg": "jpg", "npz": "npy"}

Marking = Literal["none", "xmp-1"]
"""Kind of the mark in each image file. `xmp-1` is the packet of worker/contracts/marks; docs/marks.md describes it."""

Packing = Literal["imagefolder", "parquet", "webdataset"]
"""How images are packed in the archive: the parameter `layout` of a request. For npz it has no meaning."""

ArchiveVersion = Literal[1, 2, 3, 4]
"""Version of an archive's bytes.

Version 2 adds the model's class numbers and the list of class names. Version 3 adds the hash of each image, and the
model's facts and the close pairs to the card. Version 4 adds the report.
"""
ARCHIVE_VERSION: ArchiveVersion = 4
"""The version of new jobs."""
