import json

from benchmarks.service.measurement import Measurement, Sample, medians
from benchmarks.service.report import Report


def measured(engine: str, n: int, last_s: float) -> Measurement:
    return medians(engine, n, [Sample(first_s=0.5, last_s=last_s, cpu_s=1, peak_mb=100, note="")])


def report(*measurements: Measurement) -> Report:
    return Report("faces-64", "a processor", {"torch": "2"}, 1, measurements)


def test_each_figure_is_a_median() -> None:
    samples = [Sample(1, 10, 3, 7, "how"), Sample(3, 20, 1, 8, "how"), Sample(2, 90, 2, 9, "how")]
    assert medians("bare", 100, samples) == Measurement("bare", 100, 2, 20, 5, 2, 8, "how")


def test_the_share_of_bare_is_that_of_the_same_n() -> None:
    found = report(measured("bare", 1, 1), measured("bare", 10, 1), measured("naive", 10, 4), measured("naive", 1, 2))
    rows = [line.split(" | ") for line in found.markdown().splitlines()[4:]]
    assert [(row[0], row[1], row[5]) for row in rows] == [
        ("| 1", "bare", "100%"),
        ("| 1", "naive", "50%"),
        ("| 10", "bare", "100%"),
        ("| 10", "naive", "25%"),
    ]


def test_without_bare_there_is_no_share() -> None:
    assert "| 1 | naive | 0.500 | 2.000 | 0.5 | - |" in report(measured("naive", 1, 2)).markdown()


def test_json_finds_figures_by_engine_and_n() -> None:
    written = json.loads(report(measured("bare", 10, 2)).json())
    assert written["results"]["bare"]["10"]["images_per_s"] == 5
    assert written["device"] == "a processor"
