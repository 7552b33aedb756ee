from pathlib import Path

import pytest

from app.jobs.archive_size import archive_size
from tests.unit.conftest import spec_of
from tests.unit.worker.archive.archives import archive_of
from worker.contracts.costs import FileSizes
from worker.contracts.jobs import ARCHIVE_VERSION, Packing

CLASSES = ("modern", "old")
SIZES = {"modern": 900, "old": 300}
COUNTS = FileSizes(mean_bytes=(900.0, 300.0), deviation=0.2, images=16)


def size_of(label: str | None, index: int) -> int:
    """Return the size of a file. Sizes of a class differ, as those of real images do: a tar pads them to blocks."""
    return SIZES[label or ""] + (173 * index + 256) % 512 - 256


@pytest.mark.parametrize("n", [1, 20, 3000])
@pytest.mark.parametrize("label", [None, "old"])
@pytest.mark.parametrize("packing", ["imagefolder", "parquet", "webdataset"])
def test_an_archive_has_the_expected_size(tmp_path: Path, packing: Packing, label: str | None, n: int) -> None:
    changes = {"archive_version": ARCHIVE_VERSION, "packing": packing}
    spec = spec_of(n, CLASSES, label, shard_images=1000).model_copy(update=changes)
    expected = archive_size(spec, COUNTS)
    written = len(archive_of(spec, tmp_path, lambda index: bytes(size_of(spec.class_name(index), index))))
    assert expected.low < written < expected.high
    assert abs(expected.expected - written) < 0.01 * written + 600  # the card varies with the texts of the model


def test_the_interval_is_narrow_for_many_images_and_wide_for_one() -> None:
    one, many = (archive_size(spec_of(n, CLASSES), COUNTS) for n in (1, 10_000))
    assert (one.high - one.low) / one.expected > 2 * (many.high - many.low) / many.expected
