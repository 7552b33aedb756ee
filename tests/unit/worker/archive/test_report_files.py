import json
from pathlib import Path

import pytest
import yaml

from tests.unit.conftest import spec_of
from tests.unit.pictures import picture, with_pictures
from tests.unit.selections import candidate_of, commit
from tests.unit.worker.archive.archives import archive_of
from tests.unit.worker.archive.facts import FACTS, GATE, effect
from worker.archive.report import Report
from worker.archive.report_files import report_files
from worker.contracts.cut import Cut
from worker.contracts.formats import ArchiveVersion
from worker.contracts.jobs import JobSpec
from worker.contracts.selection import Selection
from worker.contracts.store.store import Store
from worker.rendering.candidate import Verdict

SECTIONS = [
    "Motivation",
    "Composition",
    "Collection process",
    "Preprocessing, cleaning, labeling",
    "Uses",
    "Distribution",
    "Maintenance",
]


def gated_spec(selection: Selection | None = None) -> JobSpec:
    spec = with_pictures(spec_of(3, ("a", "b|c", "d")))
    model = spec.model.model_copy(update={"metrics": {"fd_efflite0": 33.1, "coverage_efflite0": 0.283}})
    return spec.model_copy(
        update={
            "model": model,
            "archive_version": 4,
            "shares": (2, 1, 0),
            "selection": selection,
            "facts": FACTS,
            "cut": Cut(first=20, most=20),
        }
    )


def files_of(spec: JobSpec, folder: Path) -> dict[str, bytes]:
    store = Store(str(folder))
    return report_files(spec, list(store.choices.chosen_shards(spec)), store.archives.read_range)


def gated_files(folder: Path) -> dict[str, bytes]:
    """Return the files of a dataset whose labels are a, b|c, a, a, b|c. Candidates 0 and 1 are rejected."""
    spec, store = gated_spec(Selection(gate=GATE, keep=400, drops_copies=True, distinct=2)), Store(str(folder))
    verdicts = [Verdict(599), Verdict(700, is_copy=True), Verdict(600), Verdict(950), Verdict(800)]
    hashes = (0, 0, 1, 0xF << 40, 0xFF << 8)
    candidates = [candidate_of(k, verdict, hashes[k], k > 1, picture(k)) for k, verdict in enumerate(verdicts)]
    commit(store, spec, 0, candidates)
    return files_of(spec, folder)


def test_the_report_tells_what_the_selection_kept(tmp_path: Path) -> None:
    report = Report.model_validate_json(gated_files(tmp_path)["report.json"])
    assert report.yield_ is not None
    assert (report.images.kept, report.images.tried, report.yield_.value) == (3, 5, 0.6)
    assert (report.yield_.low, report.yield_.high) == (0.230724, 0.882379)
    assert report.rejected is not None
    assert dict(report.rejected) == {"below_score": 1, "copies": 1, "near_duplicates": 0}
    assert {name: (each.kept, each.tried) for name, each in report.images.by_class.items()} == {
        "a": (2, 3),
        "b|c": (1, 2),
    }
    assert dict(report.indices) == {"first": 0, "last": 4, "next_start": 5}
    assert report.gate is not None
    assert (report.gate.least_score, report.gate.nearest) == (600, effect(0.5, 0.823))
    assert report.scores is not None
    assert list(dict(report.scores).values()) == [600, 600, 800, 800, 950]
    assert report.copies is not None
    assert report.copies.dropped == 1


def test_the_card_tells_the_same(tmp_path: Path) -> None:
    card = gated_files(tmp_path)["README.md"].decode()
    assert "keeps 3 of 5 candidates: 60.0 % (95 % interval 23.1 to 88.2 %)" in " ".join(card.split())
    assert "| a (0) | 2 | 3 | 66.7 % (95 % interval 20.8 to 93.9 %) | 120 | 0.710 |" in card
    assert "| b&#124;c (1) | 1 | 2 | 50.0 %" in card
    assert "| d (2)" not in card
    assert "| 1 (no gate) | 0.712 |" in card
    assert "| 0.5 | 0.823 |" in card
    assert "0.934" not in card
    assert "start=5" in card
    assert "| fd_efflite0 | 33.1 | Frechet distance" in card
    assert "About 28% of the real images" in card
    assert "About 82% of the images pass the realism test" in card


def test_the_card_has_the_sections_of_a_datasheet(tmp_path: Path) -> None:
    spec = gated_spec()
    archive_of(spec, tmp_path, picture)
    (_, head, text) = files_of(spec, tmp_path)["README.md"].decode().split("---\n", 2)
    assert [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")] == SECTIONS
    assert yaml.safe_load(head)["class_names"] == ["a", "b|c", "d"]
    assert "{" not in text.partition("```python")[0]
    assert "No image was left out" in text
    assert "of the class that pass the realism test of `efflite0`" in " ".join(text.split())


def test_the_hub_gets_an_id_of_the_licence(tmp_path: Path) -> None:
    spec = gated_spec()
    model = spec.model.model_copy(update={"licence": "Works before 1930; 199 CC0"})
    spec = spec.model_copy(update={"model": model})
    archive_of(spec, tmp_path, picture)
    head = yaml.safe_load(files_of(spec, tmp_path)["README.md"].decode().split("---\n", 2)[1])
    assert (head["license"], head["license_name"]) == ("other", "works-before-1930-199-cc0")
    assert head["license_details"] == "Works before 1930; 199 CC0"


def test_the_card_of_a_tar_has_the_names_of_its_files(tmp_path: Path) -> None:
    spec = gated_spec()
    archive_of(spec, tmp_path, picture)
    card = files_of(spec.model_copy(update={"packing": "webdataset"}), tmp_path)["README.md"].decode()
    assert "](grid)" in card
    assert "`report` has" in card
    assert "report.json" not in card


def test_the_files_do_not_depend_on_the_job_or_the_time(tmp_path: Path) -> None:
    spec = gated_spec()
    changes = {"id": "y" * 22, "owner": "ann", "created": spec.created.replace(year=2031), "ttl_hours": 3}
    other = spec.model_copy(update=changes)
    for each in (spec, other):
        archive_of(each, tmp_path, picture)
    assert files_of(spec, tmp_path) == files_of(other, tmp_path)


def test_without_facts_the_report_has_no_figures(tmp_path: Path) -> None:
    spec = with_pictures(spec_of(5)).model_copy(update={"archive_version": 4})
    archive_of(spec, tmp_path, picture)
    files = files_of(spec, tmp_path)
    report = json.loads(files["report.json"])
    missing = [name for name, value in report.items() if value is None]
    assert missing == ["yield", "rejected", "gate", "copies", "scores"]
    assert report["images"] == {"kept": 5, "tried": 5, "by_class": {}}
    assert "No figures are known" in files["README.md"].decode()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_older_archives_have_a_card_only(tmp_path: Path, version: ArchiveVersion) -> None:
    spec = spec_of(5).model_copy(update={"archive_version": version})
    archive_of(spec, tmp_path)
    assert list(files_of(spec, tmp_path)) == ["README.md"]


def test_the_card_of_a_split_names_it_and_continues_it(tmp_path: Path) -> None:
    spec = gated_spec().model_copy(update={"split": "test", "first": 2**52})
    archive_of(spec, tmp_path, picture)
    card = files_of(spec, tmp_path)["README.md"].decode()
    assert "It is the split `test`" in card
    assert "the same request with `start=3`" in card
