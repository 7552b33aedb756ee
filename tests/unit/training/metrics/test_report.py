from pathlib import Path

import pytest
from rich.console import Console

from training.metrics import report
from training.metrics.figures import Provenance
from training.metrics.report import Report


def made(extractor: str, **figures: float) -> Report:
    return Report(
        model="faces",
        model_sha256="cd" * 32,
        seed=7,
        device="a CPU",
        seconds=61.4,
        figures=figures,
        floor={name: value / 2 for name, value in figures.items()},
        provenance=Provenance(
            extractor=extractor,
            resize="bicubic",
            dataset="pets",
            dataset_sha256="ab" * 32,
            reals=301,
            fakes=200,
            manifold=200,
        ),
    )


def text(of: Report) -> str:
    console = Console(width=100)
    with console.capture() as captured:
        console.print(report.table(of))
    return captured.get()


def test_each_figure_stands_beside_that_of_reals() -> None:
    report = made("efflite0", fd_efflite0=12.344, yield_efflite0=0.5)
    lines = text(report.model_copy(update={"intervals": {"fd_efflite0": (11.0, 13.7)}})).splitlines()
    assert lines[0].split() == ["figure", "samples", "95%", "reals", "target"]
    assert lines[1].split() == ["fd_efflite0", "12.34", "11", "to", "13.7", "6.172", "low"]
    assert lines[2].split() == ["yield_efflite0", "0.5", "0.25", "as", "reals"]


@pytest.mark.parametrize("name", ["fid", "kid", "precision_inception"])
def test_figures_of_the_inception_network_are_explained_too(name: str) -> None:
    assert name in text(made("inception", **{name: 1.0}))


def test_the_figures_origin_is_told() -> None:
    assert report.lines(made("efflite0", fd_efflite0=1)) == [
        "samples: 200 of faces (sha256 cdcdcdcdcdcd), seed 7",
        "reference: 301 images of pets (sha256 abababababab)",
        "features: efflite0, bicubic; k 5, manifolds of 200 points",
        "reals: 150 images of the reference measured against 150 others",
        "time: 61 s on a CPU",
    ]


def test_a_report_tells_what_the_model_was_measured_against() -> None:
    of = made("efflite0", fd_efflite0=1).model_copy(update={"against": "301 held-out images that it has not seen"})
    assert report.lines(of)[2] == "against: 301 held-out images that it has not seen"


def test_a_report_is_written_whole_and_reads_back(tmp_path: Path) -> None:
    written = made("efflite0", fd_efflite0=1)
    report.write(tmp_path / "report.json", written)
    assert Report.model_validate_json((tmp_path / "report.json").read_bytes()) == written
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_a_report_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        report.write(tmp_path / "taken", made("efflite0", fd_efflite0=1))
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
