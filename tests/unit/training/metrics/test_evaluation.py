import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from models import checkpoint
from tests.tiny import picture, save_checkpoint
from training import samples
from training.dataset import dataset_builder, dataset_files
from training.dataset.dataset_files import Dataset
from training.dataset.image_source import items
from training.errors import MetricsError
from training.metrics import evaluation, features, figures, reference
from training.metrics.evaluation import Subject
from training.metrics.features import Extractor
from training.metrics.report import Report

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _quick(extractor: Extractor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "load", lambda *_: extractor)


def unheard(_name: str, _total: int) -> Callable[[int], None]:
    return lambda _done: None


def evaluated(folder: Path, n: int = 40, seed: int = 3) -> Report:
    return evaluation.run(Subject(folder / "tiny.safetensors", folder / "dataset", n, seed), CPU, None, unheard)


@pytest.mark.parametrize("classes", [("cat", "dog"), ()], ids=["conditional", "unconditional"])
def test_the_images_of_a_seed_are_measured_under_the_labels_of_the_data(
    classes: tuple[str, ...], dataset: Dataset, extractor: Extractor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "_CHUNK", 64)
    save_checkpoint(tmp_path, "tiny", classes)
    made = evaluated(tmp_path, 100)
    header, generator = checkpoint.load_generator(tmp_path / "tiny.safetensors")
    reals = reference.load_or_extract(dataset, extractor, tmp_path)
    labels = reals.labels_in_proportion(100) if classes else None
    network = generator.to(memory_format=torch.channels_last)
    images = samples.render(network, header.latent_dim, 3, range(100), labels)
    expected = figures.measure(reals, extractor(images), labels)
    assert made.figures == pytest.approx(figures.name_figures(expected.figures, "tiles"))
    assert made.floor == pytest.approx(figures.name_figures(expected.floor, "tiles"))
    assert made.provenance == expected.provenance
    assert made.against == "the 24 training images"
    assert ("label_agreement_tiles" in made.figures) == bool(classes)


def test_another_seed_gives_other_figures(dataset: Dataset, tmp_path: Path) -> None:
    assert dataset.description.count == 24
    save_checkpoint(tmp_path, "tiny")
    first, again, other = evaluated(tmp_path), evaluated(tmp_path), evaluated(tmp_path, seed=4)
    assert first.figures == again.figures
    assert first.figures["fd_tiles"] != other.figures["fd_tiles"]
    assert first.floor == other.floor


def test_the_model_is_known_by_its_hash(dataset: Dataset, tmp_path: Path) -> None:
    assert dataset.description.count == 24
    save_checkpoint(tmp_path, "tiny")
    made = evaluated(tmp_path)
    assert made.model == "tiny"
    assert made.model_sha256 == hashlib.sha256((tmp_path / "tiny.safetensors").read_bytes()).hexdigest()


def test_progress_is_heard_of_reals_and_samples(dataset: Dataset, tmp_path: Path) -> None:
    assert dataset.description.count == 24
    save_checkpoint(tmp_path, "tiny")
    heard: dict[tuple[str, int], list[int]] = {}

    def counter(name: str, total: int) -> Callable[[int], None]:
        return heard.setdefault((name, total), []).append

    evaluation.run(Subject(tmp_path / "tiny.safetensors", tmp_path / "dataset", 300, 0), CPU, None, counter)
    assert heard == {("real images", 24): [4, 8, 12, 16, 20, 24, 24], ("samples", 300): [256, 300]}


def test_a_model_of_another_size_is_refused(class_folders: Path, tmp_path: Path) -> None:
    save_checkpoint(tmp_path, "tiny")
    dataset_builder.build(items(class_folders), tmp_path / "dataset", 48, dataset_builder.Credit("pets", "CC0"))
    with pytest.raises(MetricsError, match="tiny draws 32 px images, pets holds 48 px"):
        evaluated(tmp_path)


def test_a_model_of_other_classes_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    assert dataset.description.classes == ("cat", "dog")
    save_checkpoint(tmp_path, "tiny", ("dog", "cat"))
    with pytest.raises(MetricsError, match="tiny has the classes dog, cat; pets holds cat, dog"):
        evaluated(tmp_path)


def test_a_model_of_classes_is_refused_where_the_data_have_none(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(24):
        picture(number).save(tmp_path / "in" / f"{number}.png")
    dataset_builder.build(items(tmp_path / "in"), tmp_path / "dataset", 32, dataset_builder.Credit("smooth", "CC0"))
    save_checkpoint(tmp_path, "tiny", ("cat", "dog"))
    with pytest.raises(MetricsError, match="tiny has the classes cat, dog; smooth holds none"):
        evaluated(tmp_path)
    save_checkpoint(tmp_path, "tiny")
    assert evaluated(tmp_path).provenance.reals == 24


@pytest.fixture
def split(tmp_path: Path) -> Dataset:
    """A dataset with a held-out part, and a tiny model beside it."""
    for number in range(120):
        path = tmp_path / "in" / ("cat" if number % 3 else "dog") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(number).save(path)
    credit = dataset_builder.Credit("pets", "CC0")
    dataset_builder.build(items(tmp_path / "in"), tmp_path / "dataset", 32, credit, held_out_share=0.4)
    save_checkpoint(tmp_path, "tiny", ("cat", "dog"))
    return dataset_files.load(tmp_path / "dataset")


def test_held_out_images_are_measured_against_and_copies_are_searched_among_the_trained_ones(
    split: Dataset, extractor: Extractor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "LEAST_HELD_OUT", 24)
    made = evaluated(tmp_path)
    held_out = dataset_files.held_out_dataset(split)
    assert held_out is not None
    training = reference.load_or_extract(split, extractor, tmp_path / "a")
    reals = reference.load_or_extract(held_out, extractor, tmp_path / "b")
    header, generator = checkpoint.load_generator(tmp_path / "tiny.safetensors")
    labels = reals.labels_in_proportion(40)
    network = generator.to(memory_format=torch.channels_last)
    images = samples.render(network, header.latent_dim, 3, range(40), labels)
    expected = figures.measure(reals, extractor(images), labels, training)
    assert made.figures == pytest.approx(figures.name_figures(expected.figures, "tiles"))
    assert (made.provenance.reals, made.provenance.dataset_sha256, made.provenance.training_sha256) == (
        split.description.held_out,
        split.description.held_out_sha256,
        split.description.sha256,
    )
    assert made.against == (
        f"{split.description.held_out} held-out images; the model may have seen them: the checkpoint of tiny does not "
        "tell which images it was trained on"
    )


def test_the_two_parts_of_a_dataset_never_share_cached_features(
    split: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert split.description.held_out < figures.LEAST_HELD_OUT
    few = evaluated(tmp_path)
    assert few.against == (
        f"the {split.description.count} training images, because only {split.description.held_out} are held out and "
        "250 are needed"
    )
    assert not (tmp_path / "dataset" / "features-held-out-tiles.safetensors").exists()
    monkeypatch.setattr(figures, "LEAST_HELD_OUT", 24)
    first, again = evaluated(tmp_path), evaluated(tmp_path)
    assert first.figures == again.figures
    assert first.figures["fd_tiles"] != few.figures["fd_tiles"]
    monkeypatch.undo()
    assert (tmp_path / "dataset" / "features-held-out-tiles.safetensors").exists()


def test_images_of_unknown_origin_may_have_been_learnt_from_anything(
    split: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "LEAST_HELD_OUT", 24)
    subject = Subject(tmp_path / "in", tmp_path / "dataset", 60, 0)
    made = evaluation.run(subject, CPU, None, unheard)
    assert made.against == (
        f"{split.description.held_out} held-out images; it is not known which images the samples were learnt from"
    )
