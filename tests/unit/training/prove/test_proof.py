"""Proofs whose answer is known: images that carry the signal of their class, wrong labels, and noise."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.unit.training.prove.conftest import save_card, save_generator, save_patterns
from training.dataset.dataset_files import Dataset
from training.errors import MetricsError
from training.metrics import features
from training.metrics.features import Extractor
from training.prove import cnn, plot, proof, report, source
from training.prove.proof import Question
from training.prove.report import Report

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _quick(tile_extractor: Extractor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "load", lambda *_: tile_extractor)


@pytest.fixture
def question(patterns: Path, known: Dataset, tmp_path: Path) -> Question:
    made_by = save_generator(tmp_path, known.description.sha256)
    return Question(source.find(str(made_by), None), patterns, None, (3, 10, 50), 60, 5, "probe", "held-out", 0, False)


def unheard(_name: str, _total: int) -> Callable[[int], None]:
    return lambda _done: None


def with_images(question: Question, folder: Path) -> Question:
    """Use images that carry the card of the generator."""
    save_card(folder, question.source.path)
    return replace(question, source=source.find(str(folder), str(question.source.path)))


def prove(question: Question) -> Report:
    return proof.run(question, CPU, unheard)


def test_images_with_the_signal_of_their_class_help_where_reals_are_few(question: Question, tmp_path: Path) -> None:
    made = prove(with_images(question, save_patterns(tmp_path / "good", 200, 10_000)))
    (finding,) = made.findings
    assert finding.verdict.helps_at[:2] == (3, 10)
    assert finding.verdict.harms_at == ()
    assert not finding.verdict.is_doubtful
    assert "helps" in finding.verdict.sentence
    assert "HARMS" not in finding.verdict.sentence
    assert finding.result.gains[3].mean > finding.result.gains[50].mean
    assert finding.result.placebo[3].mean < 0.01
    assert finding.result.synthetic.mean > finding.result.accuracies[3]["real"].mean


def test_images_with_wrong_labels_harm(question: Question, tmp_path: Path) -> None:
    made = prove(with_images(question, save_patterns(tmp_path / "bad", 200, 10_000, turn=1)))
    (finding,) = made.findings
    assert 50 in finding.verdict.harms_at
    assert finding.verdict.helps_at == ()
    assert finding.verdict.sentence.startswith("HARMS at")
    assert "do not train on it" in finding.verdict.sentence
    assert finding.result.synthetic.mean < 1 / 3
    assert "less than 3 real images per class" in report.worth(finding.result)


def test_a_generator_of_noise_does_not_help(question: Question) -> None:
    (finding,) = prove(question).findings
    assert finding.verdict.helps_at == ()


def test_two_runs_give_the_same_report_and_another_seed_another(question: Question) -> None:
    short = replace(question, per_class=(3,), repeats=2)
    first, again, other = prove(short), prove(short), prove(replace(short, seed=1))
    assert first.findings == again.findings
    assert first.findings != other.findings
    assert first.source_sha256 == again.source_sha256


def test_the_training_part_may_give_the_real_images(question: Question, known: Dataset) -> None:
    made = prove(replace(question, reals="training", per_class=(3,), repeats=2))
    assert known.held_out is not None
    assert (made.pool, made.test) == (len(known.labels), len(known.held_out.labels))
    assert "the training part of patterns" in "\n".join(report.lines(made))


def test_an_overlap_is_in_the_title_and_the_lines(question: Question, tmp_path: Path) -> None:
    unknown = replace(question, source=source.find(str(save_patterns(tmp_path / "x", 5, 0)), None))
    with pytest.raises(MetricsError, match="cannot tell that the generator has not seen the test images"):
        prove(unknown)
    made = prove(replace(unknown, overlap=True, per_class=(3,), repeats=2))
    assert report.title(made).endswith("(OVERLAP: the generator may have seen the test images)")
    assert report.lines(made)[0].startswith("OVERLAP, so this is no proof: ")
    clean = prove(replace(question, overlap=True, per_class=(3,), repeats=2))
    assert clean.overlap == ""
    assert report.title(clean) == "Does tiny help to classify patterns?"


def test_numbers_that_are_too_large_are_noted(question: Question) -> None:
    made = prove(replace(question, per_class=(3, 500), repeats=2))
    assert any(note.startswith("left out: 500 per class") for note in made.notes)
    assert list(made.findings[0].result.accuracies) == [3]


def test_the_report_is_written_as_json(question: Question, tmp_path: Path) -> None:
    made = prove(replace(question, per_class=(3,), repeats=2))
    report.write(tmp_path / "proof.json", made)
    found = json.loads((tmp_path / "proof.json").read_text())
    assert Report.model_validate(found) == made
    (finding,) = found["findings"]
    assert len(finding["result"]["accuracies"]["3"]["real"]["each"]) == 2
    assert set(finding["result"]["gains"]["3"]) == {"mean", "low", "high"}
    assert finding["verdict"]["sentence"]


def test_both_judges_are_drawn(question: Question, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cnn, "_STEPS", 2)
    made = prove(replace(question, judge="both", per_class=(3, 10), repeats=2, synthetic=5))
    assert [finding.result.judge for finding in made.findings] == ["probe", "cnn"]
    first = plot.draw(made)
    assert first.startswith(b"\x89PNG")
    assert first == plot.draw(made)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_network_from_scratch_agrees(question: Question, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cnn, "_STEPS", 120)
    few = replace(question, judge="cnn", per_class=(3,), repeats=3, synthetic=150)
    (good,) = prove(with_images(few, save_patterns(tmp_path / "good", 150, 10_000))).findings
    assert good.result.gains[3].mean > 0.1
    assert "HARMS" not in good.verdict.sentence
    (bad,) = prove(with_images(few, save_patterns(tmp_path / "bad", 150, 10_000, turn=1))).findings
    assert bad.verdict.sentence.startswith("HARMS at 3")
