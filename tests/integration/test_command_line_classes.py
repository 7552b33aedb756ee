"""`imagemill generate` with counts per class and selections."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.integration.running_service import RunningService, metadata
from tests.integration.test_client import generate, jobs_of
from tests.tiny import LABELLED

MODEL = ("--model", LABELLED, "--seed", "31")


def test_counts_need_no_n(service: RunningService, tmp_path: Path) -> None:
    done = generate(service, tmp_path, *MODEL, "--classes", "circle:20,cross:10")
    assert done.returncode == 0, done.stderr
    assert "30 images from labelled are in" in done.stdout
    assert "tried" not in done.stdout
    (path,) = tmp_path.iterdir()
    assert path.name == "labelled-seed31-n30-circle-20-cross-10.zip"
    assert Counter(record["label"] for record in metadata(path.read_bytes())) == {"circle": 20, "cross": 10}


def test_the_yield_is_printed_at_the_end(service: RunningService, tmp_path: Path) -> None:
    selection = ("--keep", "0.4", "--copies", "drop", "--distinct", "1")
    done = generate(service, tmp_path, *MODEL, "-n", "60", *selection, "-o", "out.zip")
    assert done.returncode == 0, done.stderr
    yields = r"^kept 60 of (\d+) tried images \(([\d.]+)%, 95 % interval ([\d.]+)% to ([\d.]+)%\)$"
    (found,) = re.findall(yields, done.stdout, re.MULTILINE)
    tried, share, low, high = map(float, found)
    assert share == pytest.approx(6000 / tried, abs=0.05)
    assert low < share < high
    last = metadata((tmp_path / "out.zip").read_bytes())[-1]["index"]
    assert f"\ncontinue the dataset with --start {last + 1}\n" in done.stdout


def test_the_figures_are_in_the_json(service: RunningService, tmp_path: Path) -> None:
    done = generate(service, tmp_path, *MODEL, "-n", "9", "--keep", "0.5", "--json")
    told = json.loads(done.stdout)
    assert Path(told["file"]).name == "labelled-seed31-n9-keep0.5.zip"
    assert (told["yield"]["kept"], told["yield"]["tried"]) == (9, told["tried"])


@pytest.mark.parametrize(
    "options",
    [
        ("--classes", "zig/zag:2,circle:3"),
        ("--classes", "zig/zag,circle", "-n", "5", "--start", "3"),
        ("--classes", "circle,zig/zag", "-n", "5", "--start", "3", "--keep", "0.5"),
        ("-n", "5", "--keep", "0.25", "--copies", "drop", "--distinct", "2"),
        ("-n", "5", "--keep", "1", "--copies", "keep"),
    ],
)
def test_a_file_that_would_be_named_after_its_job_is_not_replaced(
    service: RunningService, tmp_path: Path, options: tuple[str, ...]
) -> None:
    assert generate(service, tmp_path, *MODEL, *options).returncode == 0
    before = jobs_of(service)
    refused = generate(service, tmp_path, *MODEL, *options)
    assert refused.returncode == 2
    assert "exists already" in refused.stderr
    assert jobs_of(service) == before


@pytest.mark.parametrize(
    ("options", "status", "sentence"),
    [
        ((), 2, "give -n, --split or --classes with counts to generate images, or --job to resume a job"),
        (("--classes", "circle,cross"), 2, "give -n, --split or --classes with counts"),
        (("--classes", "circle:1", "--class", "cross"), 2, "--classes would be ignored beside --class"),
        (("--classes", "circle:1,cross"), 1, "Error: classes: 'cross' has no count, but other classes have one"),
        (("--classes", "oval:1"), 1, "Error: classes: must be among circle, cross, zig/zag, got 'oval'"),
        (("--classes", "circle:1", "-n", "2"), 1, "Error: classes: the counts add up to 1, but n is 2"),
        (("-n", "1", "--keep", "2"), 2, "'--keep': Input should be less than or equal to 1"),
        (("-n", "1", "--keep", "half"), 2, "'--keep': Input should be a valid number"),
        (("-n", "1", "--keep", "0.0105"), 1, "Error: keep: must be a number from 0.01 to 1 in steps of 0.001"),
        (("-n", "1", "--copies", "no"), 2, "'no' is not one of 'keep', 'drop'"),
        (("-n", "1", "--distinct", "4"), 2, "'--distinct': Input should be less than or equal to 3"),
    ],
)
def test_a_wrong_command_is_told_what_is_wrong(
    service: RunningService, tmp_path: Path, options: tuple[str, ...], status: int, sentence: str
) -> None:
    before = jobs_of(service)
    refused = generate(service, tmp_path, *MODEL, *options)
    assert (refused.returncode, refused.stdout) == (status, "")
    assert sentence in " ".join(refused.stderr.replace("│", " ").split())
    assert jobs_of(service) == before
    assert list(tmp_path.iterdir()) == []
