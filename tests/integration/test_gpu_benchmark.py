"""The benchmark for a GPU in its small mode, on whatever device there is: real processes, a real service."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tiny import picture

ROOT = Path(__file__).parents[2]
SECONDS = 240
"""Far more than it takes, for a busy machine."""


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    for number in range(24):
        picture(number).save(folder / f"{number:02d}.png")
    return folder


def results(folder: Path, *arguments: str, seconds: int = SECONDS) -> list[dict[str, Any]]:
    """Run the benchmark. Returns its results."""
    out = ("--out", str(folder / "out"), "--work", str(folder / "work"), "--seconds", str(seconds))
    command = [sys.executable, "-m", "benchmarks.gpu", "--small", *arguments, *out]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=2 * SECONDS, check=False)
    log = folder / "out" / "log.txt"
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in (folder / "out" / "results.jsonl").read_text().splitlines()]
    assert not [line for line in found if "error" in line], log.read_text()
    return found


def values(found: list[dict[str, Any]], what: str) -> list[Any]:
    return [line["value"] for line in found if line["what"] == what]


@pytest.mark.slow
@pytest.mark.timeout(2 * SECONDS)
def test_generating_is_measured(tmp_path: Path) -> None:
    found = results(tmp_path, "environment", "service", "faults")
    ended = [line["value"] for line in found if line["what"].endswith(" ended")]
    assert ended == ["finished"] * 3
    same = [line["value"] for line in found if line["what"].startswith("same bytes")]
    assert same
    assert all(same)
    assert {line["workers"] for line in found if line["what"] == "images/s"} == {1, 2}


@pytest.mark.slow
@pytest.mark.timeout(2 * SECONDS)
def test_training_is_measured(images: Path, tmp_path: Path) -> None:
    found = results(tmp_path, "data", "training", "run", "--images", str(images))
    assert all(rate > 0 for rate in values(found, "images/s"))
    assert {(line["recipe"], line["loop"]) for line in found if line["what"] == "images/s"} == {
        (recipe, loop) for recipe in ("dcgan", "flagship") for loop in ("ours", "plain loop")
    }
    assert values(found, "imagemill train") == values(found, "imagemill evaluate") == [0]
    (report,) = (tmp_path / "out").glob("evaluate.json")
    assert json.loads(report.read_text())


def test_a_section_without_time_or_files_is_named(tmp_path: Path) -> None:
    found = results(tmp_path, "environment", seconds=5)
    assert [line["what"] for line in found] == ["environment was left out"]
    found = results(tmp_path / "more", "style", seconds=60)
    assert "style was left out" in [line["what"] for line in found]


def test_an_unknown_section_is_refused_with_the_names_of_all() -> None:
    command = [sys.executable, "-m", "benchmarks.gpu", "sevrice"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 2
    assert "no section 'sevrice'" in done.stderr
    assert "service" in done.stderr
