"""The members of an archive that describe its dataset: the card, the report and the grid."""

from collections.abc import Sequence

from worker.archive.dataset_card import build_card
from worker.archive.datasheet import write_datasheet
from worker.archive.image_grid import ReadRange, draw_grid
from worker.archive.report_builder import describe_dataset
from worker.contracts.choice import ChosenShard
from worker.contracts.jobs import JobSpec


def report_files(spec: JobSpec, shards: Sequence[ChosenShard], read: ReadRange) -> dict[str, bytes]:
    """Return the members by name. Archives of version 1 to 3 have a card only.

    The bytes depend on the request, the model and the images alone: equal requests give equal archives.
    `read` reads a range of a data object: path, start, length. Raises DamagedError if an image cannot be read.
    """
    if not spec.has_report:
        return {"README.md": build_card(spec, shards).encode()}
    report = describe_dataset(spec, shards)
    return {
        "README.md": write_datasheet(spec, report).encode(),
        "report.json": report.model_dump_json(indent=2).encode() + b"\n",
        "grid.png": draw_grid(spec, shards, read),
    }
