"""Holding images out as a person does it: real files and the installed command, from pictures to figures."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from models import checkpoint
from tests.command import imagemill
from tests.conftest import DataFile
from tests.tiny import picture
from training.dataset import dataset_files

TINY = ("dcgan", "batch=16", "generator_channels=4", "discriminator_channels=4", "guard=false")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """600 pictures of two classes. Of every tenth there is a copy in another file format."""
    made = tmp_path_factory.mktemp("hold-out")
    for number in range(600):
        path = made / "pictures" / ("left" if number % 2 else "right") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(number, (48, 48)).save(path)
        if number % 10 == 0:
            picture(number, (48, 48)).save(path.with_suffix(".jpg"), quality=90)
    done = imagemill("dataset", "pictures", "data", "--size", "48", "--hold-out", "0.45", cwd=made)
    assert done.returncode == 0, done.stdout + done.stderr
    (made / "output.txt").write_text(done.stdout, encoding="utf-8")
    return made


def test_the_command_tells_what_it_held_out(folder: Path) -> None:
    output = " ".join((folder / "output.txt").read_text(encoding="utf-8").split())
    made = dataset_files.load(folder / "data")
    assert made.held_out is not None
    left, right = made.held_out.labels.bincount().tolist()
    assert f"{made.description.count} images of 48 x 48 px, 2 classes (left, right), 0 set aside" in output
    assert f"{left + right} more images are held out: {left} left, {right} right; no training sees them" in output
    assert "60 groups of images show nearly the same; each is on one side" in output
    assert made.description.count + made.description.held_out == 660
    assert made.description.held_out == pytest.approx(0.45 * 660, abs=4 * (660 * 0.25) ** 0.5)


def test_no_held_out_image_is_like_a_trained_one(folder: Path) -> None:
    made = dataset_files.load(folder / "data")
    assert made.held_out is not None
    trained = {image.numpy().tobytes() for image in made.images}
    assert not any(image.numpy().tobytes() in trained for image in made.held_out.images)
    flat = made.images.float().flatten(1)
    nearest = [(flat - image.float().flatten()).abs().mean(dim=1).min() for image in made.held_out.images]
    assert min(nearest) > 5  # a picture and its JPEG differ by about 1


def test_a_training_reads_no_held_out_image(folder: Path) -> None:
    """Two datasets that differ in their held-out images only give the same weights."""
    shutil.copytree(folder / "data", folder / "planted")
    pixels = np.random.default_rng(0).integers(0, 256, (folder / "data" / "held-out-images.bin").stat().st_size)
    (folder / "planted" / "held-out-images.bin").write_bytes(pixels.astype(np.uint8).tobytes())
    described = json.loads((folder / "planted" / "dataset.json").read_text(encoding="utf-8"))
    labels = (folder / "planted" / "held-out-labels.bin").read_bytes()
    described["held_out_sha256"] = hashlib.sha256(pixels.astype(np.uint8).tobytes() + labels).hexdigest()
    (folder / "planted" / "dataset.json").write_text(json.dumps(described), encoding="utf-8")
    assert train(folder, "data").read_bytes() == train(folder, "planted").read_bytes()


def test_a_checkpoint_tells_what_it_learnt_from(folder: Path) -> None:
    made = dataset_files.load(folder / "data")
    credit = checkpoint.read_header(train(folder, "data")).data
    assert (credit.images, credit.sha256, credit.held_out) == (
        made.description.count,
        made.description.sha256,
        made.description.held_out,
    )


def test_evaluate_says_what_it_measured_against(folder: Path) -> None:
    """A checkpoint of the training part has not seen the held-out images. One of the whole folder may have."""
    imagemill("dataset", "pictures", "whole", "--size", "48", cwd=folder)
    for data, expected in (
        ("data", r"against: (\d+) held-out images that the model has not seen"),
        ("whole", r"against: (\d+) held-out images; the model may have seen them: small was trained on other data"),
    ):
        done = imagemill("evaluate", train(folder, data), "data", "--n", "60", cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr
        (count,) = re.findall(expected, " ".join(done.stdout.split()))
        assert int(count) == dataset_files.load(folder / "data").description.held_out


@pytest.mark.parametrize("share", ["0", "1", "-0.5", "10", "nan"])
def test_a_share_that_is_none_is_refused_before_the_work(folder: Path, share: str) -> None:
    done = imagemill("dataset", "pictures", "refused", "--hold-out", share, cwd=folder)
    assert done.returncode == 2
    assert "--hold-out is a share of the images, above 0 and below 1, e.g. 0.1; got" in " ".join(done.stderr.split())
    assert not (folder / "refused").exists()


def test_portraits_that_exist_twice_are_on_one_side(tmp_path: Path, data_file: DataFile) -> None:
    portraits = data_file("data/faces-congress-128.zip")
    command = ("dataset", portraits, "faces", "--size", "64", "--label-column", "era", "--hold-out", "0.25")
    done = imagemill(*command, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "50 groups of images show nearly the same" in done.stdout
    made = dataset_files.load(tmp_path / "faces")
    assert made.held_out is not None
    shares = made.held_out.labels.bincount() / (made.labels.bincount() + made.held_out.labels.bincount())
    assert shares.tolist() == pytest.approx([0.25] * 4, abs=0.05)


def train(folder: Path, data: str) -> Path:
    """Train a tiny model on a dataset, once. Returns its checkpoint."""
    runs = folder / f"runs-{data}"
    if not runs.exists():
        recipe, *changes = TINY
        values = [part for change in changes for part in ("--set", change)]
        command = ("train", data, "--recipe", recipe, "--images", "640", "--name", "small", "--device", "cpu")
        done = imagemill(*command, *values, "--runs", runs, cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr
    (path,) = runs.glob("*/small.safetensors")
    return path
