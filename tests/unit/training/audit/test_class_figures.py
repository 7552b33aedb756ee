from pathlib import Path

import pytest

from tests.tiny import picture
from tests.unit.training.audit.conftest import Measure, N
from training.dataset.dataset_files import Dataset


def test_the_classes_add_up_to_the_figures_of_all_images(archive: Path, dataset: Dataset, measure: Measure) -> None:
    made = measure(archive).report
    assert [each.name for each in made.classes] == list(dataset.description.classes)
    assert sum(each.images for each in made.classes) == N
    assert sum(each.reals for each in made.classes) == made.provenance.reals
    for name, figure in (("yield_share", "yield"), ("copies", "copies"), ("label_agreement", "label_agreement")):
        whole = sum(getattr(each, name) * each.images for each in made.classes) / N
        assert whole == pytest.approx(made.figures[f"{figure}_tiles"]), name


def test_a_class_with_too_few_images_or_none_says_so(class_folders: Path, measure: Measure) -> None:
    for number in range(100, 130):
        picture(number).save(class_folders / "cat" / f"{number}.png")
    for path in (class_folders / "dog").iterdir():
        path.unlink()
    cat, dog = measure(class_folders).report.classes
    assert (dog.images, dog.yield_share, dog.yield_interval, dog.likeness) == (0, None, None, None)
    assert dog.note == "8 reals and 0 fakes are too few to measure; at least 24 and 6 are needed"
    assert cat.images == 46
    assert cat.label_agreement is not None
    assert cat.label_agreement > 0.3
