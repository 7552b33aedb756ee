import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from models.image_hash import count_close_pairs, image_hashes
from tests.tiny import picture
from tests.unit.training.audit.conftest import CPU, SEED, Measure, N
from training.audit import audit
from training.dataset import dataset_builder
from training.dataset.dataset_files import Dataset
from training.dataset.image_source import items
from training.errors import DatasetError, MetricsError
from training.metrics import evaluation, figures
from training.metrics.evaluation import Subject


def test_the_figures_are_those_of_the_checkpoint_that_made_the_images(
    archive: Path, measure: Measure, tmp_path: Path
) -> None:
    made = measure(archive).report
    subject = Subject(tmp_path / "tiny.safetensors", tmp_path / "dataset", N, SEED)
    expected = evaluation.run(subject, CPU, None, lambda _name, _total: lambda _done: None)
    assert made.figures == pytest.approx(expected.figures, rel=1e-4)
    assert made.floor == pytest.approx(expected.floor)
    assert made.provenance == expected.provenance
    assert made.against == expected.against
    assert (made.model, made.found, made.unusable, made.resized, made.unlabelled) == ("pets.zip", N, 0, 0, 0)


def test_an_evaluation_of_the_archive_gives_the_same_figures(archive: Path, measure: Measure, tmp_path: Path) -> None:
    made = measure(archive).report
    plain = evaluation.run(
        Subject(archive, tmp_path / "dataset", N, 0), CPU, None, lambda _name, _total: lambda _done: None
    )
    assert made.figures == plain.figures
    assert (made.model_sha256, made.intervals, made.same_size) == (plain.model_sha256, plain.intervals, plain.same_size)


def test_real_images_in_the_place_of_an_archive_are_copies(
    dataset: Dataset, class_folders: Path, measure: Measure
) -> None:
    made = measure(class_folders)
    assert made.report.figures["fd_tiles"] < 1e-3
    assert made.report.similarity.hash_copies == 1
    assert [pair.ratio for pair in made.nearest] == [0] * 8
    assert all(pair.is_copy and torch.equal(pair.image, pair.real) for pair in (*made.nearest, *made.random))
    hashes = image_hashes(np.ascontiguousarray(dataset.images.permute(0, 2, 3, 1).numpy()))
    assert made.report.similarity.close_pairs == count_close_pairs(hashes, 3)
    assert made.report.similarity.close_pairs == made.report.similarity.close_real_pairs


def test_images_that_differ_from_the_data_are_said_in_notes(class_folders: Path, measure: Measure) -> None:
    for number in range(3):
        picture(number, (48, 40)).save(class_folders / f"loose-{number}.png")
    (class_folders / "cat" / "broken.png").write_text("text")
    made = measure(class_folders, 27).report
    measured = made.provenance.fakes
    assert made.found == 28
    assert made.notes[0] == "27 of 28 images were measured, evenly spaced" or made.unusable
    assert f"{measured} images have another size than pets (32 px); they were cropped to a square and resized" in (
        " ".join(made.notes)
    )
    assert f"{made.unlabelled} images have none of the classes cat, dog" in made.notes
    assert made.resized == made.provenance.fakes
    assert made.unlabelled == made.provenance.fakes - sum(each.images for each in made.classes)
    assert "label_agreement_tiles" not in made.figures


def test_data_without_classes_have_no_table_of_classes(archive: Path, measure: Measure, unlabelled: Path) -> None:
    (unlabelled.parent / "more").mkdir()
    for number in range(24):
        picture(number).save(unlabelled.parent / "more" / f"{number}.png")
    folder = unlabelled.parent / "no-classes"
    dataset_builder.build(items(unlabelled.parent / "more"), folder, 32, dataset_builder.Credit("pets", "CC0"))
    made = measure(archive, folder=folder).report
    assert made.classes == ()
    assert made.unlabelled == 0


def test_copies_are_searched_among_training_images_where_others_are_held_out(
    tmp_path: Path, measure: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "LEAST_HELD_OUT", 24)
    for number in range(120):
        path = tmp_path / "in" / ("cat" if number % 3 else "dog") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(number).save(path)
    credit = dataset_builder.Credit("pets", "CC0")
    dataset_builder.build(items(tmp_path / "in"), tmp_path / "split", 32, credit, held_out_share=0.4)
    made = measure(tmp_path / "in", folder=tmp_path / "split")
    assert "held-out images; it is not known which images the samples were learnt from" in made.report.against
    copies, held_out = made.report.figures["copies_tiles"], (tmp_path / "split" / "dataset.json").read_text()
    assert copies >= 1 - json.loads(held_out)["held_out"] / 120
    assert all(pair.ratio == 0 and torch.equal(pair.image, pair.real) for pair in made.nearest)


def test_too_few_images_and_none_are_refused(data: Path, tmp_path: Path, measure: Measure) -> None:
    assert data.exists()
    (tmp_path / "few").mkdir()
    with pytest.raises(DatasetError, match="few: no images found"):
        measure(tmp_path / "few")
    picture(1).save(tmp_path / "few" / "a.png")
    with pytest.raises(MetricsError, match="24 reals and 1 fakes are too few to measure"):
        measure(tmp_path / "few")


def test_progress_ends_for_every_step(archive: Path, data: Path) -> None:
    heard: dict[tuple[str, int], int] = {}

    def progress_for(name: str, total: int) -> Callable[[int], None]:
        def done(count: int) -> None:
            assert count >= heard.get((name, total), 0)
            heard[name, total] = count

        return done

    audit.run(archive, data, None, CPU, None, progress_for)
    assert heard == {("images of the archive", N): N, ("real images", 24): 24, ("figures", 3): 3, ("classes", 2): 2}
