from pathlib import Path

from rich.console import Console

from tests.unit.training.audit.conftest import Measure
from training.audit import report
from training.audit.report import ArchiveReport
from training.metrics import report as reports


def test_the_json_reads_back(archive: Path, measure: Measure, tmp_path: Path) -> None:
    made = measure(archive).report
    reports.write(tmp_path / "report.json", made)
    assert ArchiveReport.model_validate_json((tmp_path / "report.json").read_bytes()) == made


def test_the_table_of_classes_fits_a_terminal(archive: Path, measure: Measure) -> None:
    made = measure(archive).report
    console = Console(width=80)
    with console.capture() as captured:
        console.print(report.class_table(made))
    lines = captured.get().splitlines()
    assert len(lines) == 1 + len(made.classes)
    for line, each in zip(lines[1:], made.classes, strict=True):
        assert line.split()[:2] == [each.name, str(each.images)]
        assert each.yield_share is not None
        assert line.split()[2] == f"{each.yield_share:.3g}"


def test_similar_images_are_described_in_sentences(archive: Path, measure: Measure) -> None:
    made = measure(archive).report
    lines = list(report.lines(made))
    assert lines[0].startswith(f"similar: {made.similarity.close_pairs} pairs among 24 images")
    assert sum(line.startswith("saturation at") for line in lines) == len(made.saturation)
    assert [line for line in lines if line.startswith("class ")] == [
        f"class {each.name}: {each.note}" for each in made.classes if each.note
    ]
