from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from numpy.random import Generator, default_rng

from app.estimates.archive_size import archive_size
from tests.unit.conftest import spec_of
from tests.unit.worker.archive.archives import archive_of
from worker.contracts.catalog import ModelFacts
from worker.contracts.costs import FileSizes
from worker.contracts.formats import ARCHIVE_VERSION, Marking, Packing
from worker.contracts.jobs import JobSpec
from worker.contracts.marks.image_marker import ImageMarker
from worker.rendering.png_encoder import encode

CLASSES = ("modern", "old")
ROWS = {"modern": 48, "old": 16}
"""Mean number of rows of an image of each class that are noise. All other rows are black."""


def noise(random: Generator, rows: int) -> bytes:
    """Return a PNG of 64 x 64 px."""
    pixels = np.zeros((1, 64, 64, 3), np.uint8)
    pixels[:, :rows] = random.integers(0, 256, (rows, 64, 3), np.uint8)
    return encode(pixels)[0]


MEANS = tuple(float(len(noise(default_rng(0), ROWS[name]))) for name in CLASSES)
COUNTS = FileSizes(mean_bytes=MEANS, deviation=0.2, images=16)


def written_bytes(spec: JobSpec, folder: Path, spread: float = 0) -> int:
    """Return the size of an archive whose images have about the mean sizes of their classes, and marks."""
    random, marker, labels = default_rng(1), ImageMarker(spec), spec.labels(range(spec.n))

    def image(index: int) -> bytes:
        rows = ROWS[CLASSES[labels[index]]] * random.uniform(1 - spread, 1 + spread)
        return marker.mark(noise(random, round(rows)), index, labels[index])

    return len(archive_of(spec, folder, image))


@pytest.mark.parametrize("n", [1, 20, 3000])
@pytest.mark.parametrize("label", [None, "old"])
def test_an_archive_has_the_expected_size(n: int, label: str | None, tmp_path: Path) -> None:
    facts = ModelFacts(
        model_sha256="0" * 64, class_counts=(100, 50), class_yields=(0.9, 0.8), judge="efflite0", close_real_pairs=0.001
    )
    changes = {"archive_version": ARCHIVE_VERSION, "facts": facts}
    spec = spec_of(n, CLASSES, label, shard_images=1000).model_copy(update=changes)
    expected, written = archive_size(spec, COUNTS, COUNTS), written_bytes(spec, tmp_path)
    assert expected.low < written < expected.high
    assert abs(expected.expected - written) < 0.02 * written + 600  # the card varies with the texts of the model


@pytest.mark.parametrize("packing", get_args(Packing))
@pytest.mark.parametrize("marking", get_args(Marking))
def test_layouts_and_marks_count(packing: Packing, marking: Marking, tmp_path: Path) -> None:
    changes = {"archive_version": ARCHIVE_VERSION, "packing": packing, "marking": marking}
    spec = spec_of(2500, CLASSES, shard_images=1000).model_copy(update=changes)
    assert archive_size(spec, COUNTS, COUNTS).expected == pytest.approx(
        written_bytes(spec, tmp_path, spread=0.25), rel=0.01
    )


def test_the_interval_is_narrow_for_many_images_and_wide_for_one() -> None:
    one, many = (archive_size(spec_of(n, CLASSES), COUNTS, COUNTS) for n in (1, 10_000))
    assert (one.high - one.low) / one.expected > 2 * (many.high - many.low) / many.expected
