from pathlib import Path

import pytest
import torch

from models import checkpoint
from tests.unit.training.prove.conftest import NAMES, save_generator, save_patterns
from training import samples
from training.dataset.dataset_files import Dataset
from training.errors import MetricsError
from training.prove import synthetic_images
from training.prove.source import Source

CPU = torch.device("cpu")


def test_a_generator_draws_all_classes_in_turn(known: Dataset, tmp_path: Path) -> None:
    path, done = save_generator(tmp_path, ""), list[int]()
    made, digest = synthetic_images.obtain(Source(path), known.description, 300, 7, CPU, done.append)
    assert made.labels.tolist() == [0, 1, 2] * 100
    assert len(digest) == 64
    assert done == [256, 300]
    header, generator = checkpoint.load_generator(path)
    network = generator.to(memory_format=torch.channels_last)
    # The images that a service gives for the same addresses.
    assert torch.equal(
        made.inputs[256:], samples.render(network, header.latent_dim, 7, range(256, 300), made.labels[256:])
    )


def test_files_are_read_with_the_classes_of_their_folders(known: Dataset, tmp_path: Path) -> None:
    source = Source(save_patterns(tmp_path / "images", 4, 0))
    made, _ = synthetic_images.obtain(source, known.description, 100, 0, CPU, lambda _: None)
    assert made.counts(3) == [4, 4, 4]
    some, _ = synthetic_images.obtain(source, known.description, 6, 0, CPU, lambda _: None)
    assert some.counts(3) == [2, 2, 2]


def test_files_of_other_classes_are_refused(known: Dataset, tmp_path: Path) -> None:
    folder = save_patterns(tmp_path / "images", 2, 0)
    (folder / "ant").rename(folder / "owl")
    with pytest.raises(MetricsError, match=r"need folders with the names of the classes \(ant, bee, cat\)"):
        synthetic_images.obtain(Source(folder), known.description, 100, 0, CPU, lambda _: None)


@pytest.mark.parametrize(
    ("classes", "resolution", "message"),
    [
        ((), 32, "tiny has no classes"),
        (("up", "down"), 32, "tiny has the classes up, down; patterns holds ant, bee, cat"),
        (NAMES, 64, "tiny draws 32 px images, patterns holds 64 px"),
    ],
)
def test_a_generator_of_other_images_is_refused(
    known: Dataset, tmp_path: Path, classes: tuple[str, ...], resolution: int, message: str
) -> None:
    header = checkpoint.read_header(save_generator(tmp_path, "", classes=classes))
    description = known.description.model_copy(update={"resolution": resolution})
    with pytest.raises(MetricsError, match=message):
        synthetic_images.check(header, description)
