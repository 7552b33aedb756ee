from pathlib import Path

import pytest

from app.jobs.archive_size import archive_size
from tests.unit.conftest import spec_of
from tests.unit.worker.archive.archives import archive_of
from worker.contracts.costs import FileSizes
from worker.contracts.jobs import ARCHIVE_VERSION, JobSpec

CLASSES = ("modern", "old")
SIZES = {"modern": 900, "old": 300}
COUNTS = FileSizes(mean_bytes=(900.0, 300.0), deviation=0.2, images=16)


def written_bytes(spec: JobSpec, folder: Path) -> int:
    """Return the size of an archive whose images have the sizes of their classes."""
    return len(archive_of(spec, folder, lambda index: bytes(SIZES[spec.class_name(index) or ""])))


@pytest.mark.parametrize("n", [1, 20, 3000])
@pytest.mark.parametrize("label", [None, "old"])
def test_an_archive_has_the_expected_size(n: int, label: str | None, tmp_path: Path) -> None:
    spec = spec_of(n, CLASSES, label, shard_images=1000).model_copy(update={"archive_version": ARCHIVE_VERSION})
    expected, written = archive_size(spec, COUNTS), written_bytes(spec, tmp_path)
    assert expected.low < written < expected.high
    assert abs(expected.expected - written) < 0.01 * written + 600  # the card varies with the texts of the model


def test_the_interval_is_narrow_for_many_images_and_wide_for_one() -> None:
    one, many = (archive_size(spec_of(n, CLASSES), COUNTS) for n in (1, 10_000))
    assert (one.high - one.low) / one.expected > 2 * (many.high - many.low) / many.expected
