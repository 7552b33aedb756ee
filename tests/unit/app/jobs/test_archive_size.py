import zlib

import pytest
from worker.archive.zip_tail import build_tail

from app.jobs.archive_size import archive_size
from tests.unit.conftest import spec_of
from worker.archive import shard_layout
from worker.contracts.choice import whole_shard
from worker.contracts.costs import FileSizes
from worker.contracts.jobs import ARCHIVE_VERSION, JobSpec
from worker.contracts.store.archive_index import ShardIndex
from worker.rendering.encoding import EncodedImage

CLASSES = ("modern", "old")
SIZES = {"modern": 900, "old": 300}
COUNTS = FileSizes(mean_bytes=(900.0, 300.0), deviation=0.2, images=16)


def written_bytes(spec: JobSpec) -> int:
    """Return the size of an archive whose images have the sizes of their classes."""
    size, shards = 0, []
    for piece in spec.pieces():
        files = [bytes(SIZES[name or ""]) for name in spec.class_names(piece.indices)]
        pairs = zip(piece.indices, files, strict=True)
        images = [EncodedImage(k, file, zlib.crc32(file), 64 * "0", 16 * "0") for k, file in pairs]
        data, table, array = shard_layout.lay_out(spec, piece.shard, images)
        size += len(data)
        shards.append(whole_shard(piece, ShardIndex(data="", size=len(data), images=table, array=array)))
    return size + len(build_tail(spec, shards))


@pytest.mark.parametrize("n", [1, 20, 3000])
@pytest.mark.parametrize("label", [None, "old"])
def test_an_archive_has_the_expected_size(n: int, label: str | None) -> None:
    spec = spec_of(n, CLASSES, label, shard_images=1000).model_copy(update={"archive_version": ARCHIVE_VERSION})
    expected, written = archive_size(spec, COUNTS), written_bytes(spec)
    assert expected.low < written < expected.high
    assert abs(expected.expected - written) < 0.01 * written + 600  # the card varies with the texts of the model


def test_the_interval_is_narrow_for_many_images_and_wide_for_one() -> None:
    one, many = (archive_size(spec_of(n, CLASSES), COUNTS) for n in (1, 10_000))
    assert (one.high - one.low) / one.expected > 2 * (many.high - many.low) / many.expected
