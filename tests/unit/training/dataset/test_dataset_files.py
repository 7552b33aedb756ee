import json
import os
from pathlib import Path

import pytest
import torch

from tests.tiny import picture
from training.dataset import dataset_builder, dataset_files
from training.dataset.dataset_files import Dataset, RejectedFile
from training.dataset.framing import Framing
from training.dataset.image_source import items
from training.dataset.item import Item
from training.dataset.label_table import LabelColumn
from training.errors import DatasetError

CREDIT = dataset_builder.Credit("pets", "CC0")


def test_a_dataset_holds_every_image_under_its_label(dataset: Dataset) -> None:
    assert dataset.images.shape == (24, 3, 32, 32)
    assert dataset.description.classes == ("cat", "dog")
    assert dataset.labels.bincount().tolist() == [16, 8]
    assert dataset.description.set_aside == ()
    assert (dataset.description.resize_filter, dataset.description.crop) == ("lanczos", "centre square")


def test_bad_files_are_listed_and_set_aside(class_folders: Path, tmp_path: Path) -> None:
    good = (class_folders / "cat" / "01.png").read_bytes()
    (class_folders / "cat" / "broken.png").write_bytes(good[:60])
    (class_folders / "dog" / "text.jpg").write_text("hello", encoding="utf-8")
    heard: list[int] = []
    made = dataset_builder.build(items(class_folders), tmp_path / "out", 32, CREDIT, heard.append)
    assert made.count == 24
    assert [file.file for file in made.set_aside] == ["cat/broken.png", "dog/text.jpg"]
    assert "unreadable" in made.set_aside[0].reason
    assert "none of PNG" in made.set_aside[1].reason
    assert heard == list(range(1, 27))


def test_a_class_without_a_usable_image_vanishes(class_folders: Path, tmp_path: Path) -> None:
    (class_folders / "bird").mkdir()
    (class_folders / "bird" / "a.png").write_bytes(b"")
    (class_folders / ("x" * 65)).mkdir()
    picture(0).save(class_folders / ("x" * 65) / "a.png")
    made = dataset_builder.build(items(class_folders), tmp_path / "out", 32, CREDIT)
    assert made.classes == ("cat", "dog")
    assert dataset_files.load(tmp_path / "out").labels.bincount().tolist() == [16, 8]
    assert "a class name has 1 to 64 printable characters" in made.set_aside[1].reason


def test_a_name_that_is_no_text_is_no_obstacle(class_folders: Path, tmp_path: Path) -> None:
    for name in (b"\xfe.png", b"\xff.png"):
        (class_folders / "cat" / os.fsdecode(name)).write_bytes(b"")
    made = dataset_builder.build(items(class_folders), tmp_path / "out", 32, CREDIT)
    assert [file.file for file in made.set_aside] == ["cat/\\xfe.png", "cat/\\xff.png"]


def test_the_same_images_give_the_same_hash_and_another_label_gives_another(
    class_folders: Path, tmp_path: Path
) -> None:
    first = dataset_builder.build(items(class_folders), tmp_path / "a", 32, CREDIT)
    second = dataset_builder.build(items(class_folders), tmp_path / "b", 32, CREDIT)
    (class_folders / "cat" / "01.png").rename(class_folders / "dog" / "01.png")
    third = dataset_builder.build(items(class_folders), tmp_path / "c", 32, CREDIT)
    assert first.sha256 == second.sha256 != third.sha256


def test_fewer_than_two_images_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    picture(0).save(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "b.png").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"1 usable images; at least 2 are needed \(1 set aside; the first: b.png"):
        dataset_builder.build(items(tmp_path / "in"), tmp_path / "out", 32, CREDIT)
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_images_below_the_resolution_and_copies_are_counted(class_folders: Path, tmp_path: Path) -> None:
    picture(50, (31, 90)).save(class_folders / "cat" / "small.png")
    picture(51, (32, 90)).save(class_folders / "cat" / "just.png")
    for name in ("copy.png", "another.png"):
        (class_folders / "dog" / name).write_bytes((class_folders / "cat" / "01.png").read_bytes())
    made = dataset_builder.build(items(class_folders), tmp_path / "out", 32, CREDIT)
    assert (made.count, made.enlarged, made.duplicates) == (28, 1, 2)
    assert dataset_files.load(tmp_path / "out").description == made


def test_an_unlabelled_file_among_labelled_ones_is_set_aside(class_folders: Path, tmp_path: Path) -> None:
    (class_folders / "labels.csv").write_text("file,kind\n01.png,a\n02.png,b\n", encoding="utf-8")
    made = dataset_builder.build(items(class_folders, LabelColumn("labels.csv", "kind")), tmp_path / "out", 32, CREDIT)
    assert (made.count, made.classes) == (2, ("a", "b"))
    assert {file.reason for file in made.set_aside} == {"no label"}


def test_an_archive_among_labelled_files_is_set_aside_as_one(class_folders: Path, tmp_path: Path) -> None:
    (class_folders / "more.zip").write_bytes(b"PK")
    made = dataset_builder.build(items(class_folders), tmp_path / "out", 32, CREDIT)
    assert (made.count, made.classes) == (24, ("cat", "dog"))
    assert made.set_aside == (RejectedFile(file="more.zip", reason="an archive; unpack it first"),)


def test_a_file_that_vanishes_is_set_aside(class_folders: Path, tmp_path: Path) -> None:
    found = items(class_folders)
    (class_folders / "cat" / "01.png").unlink()
    made = dataset_builder.build(found, tmp_path / "out", 32, CREDIT)
    assert [file.reason for file in made.set_aside] == ["unreadable (No such file or directory)"]


class StopError(Exception):
    pass


def test_a_stopped_build_leaves_nothing(class_folders: Path, tmp_path: Path) -> None:
    def stop(done: int) -> None:
        if done == 20:
            raise StopError

    with pytest.raises(StopError):
        dataset_builder.build(items(class_folders), tmp_path / "out", 32, CREDIT, stop)
    assert [path.name for path in tmp_path.iterdir()] == ["pets"]


def test_a_place_that_cannot_be_written_is_told(class_folders: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match=r"file/out: could not be written \(.*(exists|[Nn]ot a directory)"):
        dataset_builder.build(items(class_folders), tmp_path / "file" / "out", 32, CREDIT)


def test_an_existing_dataset_is_not_overwritten(class_folders: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(DatasetError, match="exists already"):
        dataset_builder.build(items(class_folders), tmp_path / "out", 32, CREDIT)


def test_a_damaged_dataset_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    assert dataset.images.dtype == torch.uint8
    with (tmp_path / "dataset" / "images.bin").open("ab") as file:
        file.write(b"x")
    with pytest.raises(DatasetError, match=r"images.bin: has 73729 bytes, but dataset.json declares 73728"):
        dataset_files.load(tmp_path / "dataset")


def test_what_is_no_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="not a dataset made by"):
        dataset_files.load(tmp_path)


def test_a_description_without_anything_new_to_say_is_what_it_was(dataset: Dataset, tmp_path: Path) -> None:
    described = json.loads((tmp_path / "dataset" / "dataset.json").read_text(encoding="utf-8"))
    assert list(described) == [
        *("format_version", "name", "licence", "count", "resolution", "classes", "resize_filter", "crop", "sha256"),
        *("set_aside", "enlarged", "duplicates"),
    ]
    assert (dataset.description.dim, dataset.description.cut, dataset.description.remarks) == (0, 0.0, {})


def test_the_framing_of_a_dataset_is_described(class_folders: Path, tmp_path: Path) -> None:
    picture(1, (80, 40)).save(class_folders / "cat" / "wide.png")
    made = dataset_builder.build(items(class_folders), tmp_path / "out", 32, CREDIT, framing=Framing("top"))
    assert (made.crop, made.cut) == ("top square", 0.02)
    assert dataset_files.load(tmp_path / "out").description == made


def test_numeric_classes_are_numbered_in_their_order(tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / "in" / str(number)).mkdir(parents=True)
        picture(number).save(tmp_path / "in" / str(number) / "0.png")
    made = dataset_builder.build(items(tmp_path / "in"), tmp_path / "out", 32, CREDIT)
    assert made.classes == tuple(map(str, range(12)))


@pytest.mark.parametrize("name", ["images.bin", "labels.bin"])
def test_a_damaged_byte_is_found_when_a_dataset_is_opened(data: Path, name: str) -> None:
    damaged = bytearray((data / name).read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (data / name).write_bytes(damaged)
    with pytest.raises(
        DatasetError, match=r"images\.bin \(or labels\.bin beside it\) is damaged.*make the dataset again"
    ):
        dataset_files.load(data)


def test_more_classes_than_a_model_can_have_are_refused_before_the_work(tmp_path: Path) -> None:
    found = [Item(str(k), str(k), lambda: b"") for k in range(10_001)]
    with pytest.raises(DatasetError, match="10,001 classes, and a model has at most 10,000"):
        dataset_builder.build(found, tmp_path / "out", 32, dataset_builder.Credit("many", "CC0"))
    assert not list(tmp_path.iterdir())


@pytest.fixture
def held_out(class_folders: Path, tmp_path: Path) -> Path:
    dataset_builder.build(items(class_folders), tmp_path / "split", 32, CREDIT, held_out_share=0.3)
    return tmp_path / "split"


def test_held_out_images_are_in_no_training_part(held_out: Path, dataset: Dataset) -> None:
    made = dataset_files.load(held_out)
    assert made.held_out is not None
    assert (made.description.count, made.description.held_out) == (len(made.images), len(made.held_out.images))
    assert made.description.classes == ("cat", "dog")
    assert set(made.labels.tolist()) == set(made.held_out.labels.tolist()) == {0, 1}
    whole = [(image.numpy().tobytes(), int(k)) for image, k in zip(dataset.images, dataset.labels, strict=True)]
    parts = [
        [(image.numpy().tobytes(), int(k)) for image, k in zip(part.images, part.labels, strict=True)]
        for part in (made, made.held_out)
    ]
    assert sorted(whole) == sorted(parts[0] + parts[1])
    assert all(part == [image for image in whole if image in part] for part in parts)  # each in the order of the source
    assert sorted(path.name for path in held_out.iterdir()) == [
        *("dataset.json", "held-out-images.bin", "held-out-labels.bin", "images.bin", "labels.bin"),
    ]


def test_the_hash_of_a_dataset_is_that_of_its_training_part(held_out: Path, tmp_path: Path) -> None:
    """A dataset of the training part alone has the same hash, and so has a run on it."""
    described = json.loads((held_out / "dataset.json").read_text(encoding="utf-8"))
    for field in ("held_out", "held_out_sha256", "near_duplicates"):
        described.pop(field, None)
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "dataset.json").write_text(json.dumps(described), encoding="utf-8")
    for name in ("images.bin", "labels.bin"):
        (tmp_path / "alone" / name).write_bytes((held_out / name).read_bytes())
    alone, made = dataset_files.load(tmp_path / "alone"), dataset_files.load(held_out)
    assert alone.held_out is None
    assert dataset_files.held_out_dataset(alone) is None
    assert alone.description.sha256 == made.description.sha256 != made.description.held_out_sha256
    assert torch.equal(alone.images, made.images)


def test_held_out_images_can_be_a_dataset_of_their_own(held_out: Path) -> None:
    made = dataset_files.load(held_out)
    own = dataset_files.held_out_dataset(made)
    assert own is not None
    assert made.held_out is not None
    assert own.images is made.held_out.images
    assert (own.description.count, own.description.sha256) == (
        made.description.held_out,
        made.description.held_out_sha256,
    )
    assert (own.description.held_out, own.held_out) == (0, None)


@pytest.mark.parametrize("name", ["held-out-images.bin", "held-out-labels.bin"])
def test_a_damaged_byte_of_a_held_out_image_is_found(held_out: Path, name: str) -> None:
    damaged = bytearray((held_out / name).read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (held_out / name).write_bytes(damaged)
    with pytest.raises(DatasetError, match=r"held-out-images\.bin \(or held-out-labels\.bin beside it\) is damaged"):
        dataset_files.load(held_out)


@pytest.mark.parametrize("name", ["held-out-images.bin", "held-out-labels.bin"])
def test_a_missing_held_out_file_is_told(held_out: Path, name: str) -> None:
    (held_out / name).unlink()
    with pytest.raises(DatasetError, match=rf"{name}: has 0 bytes, but dataset.json declares"):
        dataset_files.load(held_out)


def test_too_few_images_to_hold_out_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(2):
        picture(number).save(tmp_path / "in" / f"{number}.png")
    with pytest.raises(DatasetError, match=r"--hold-out 0.5: 1 images are left for training and 1 are held out"):
        dataset_builder.build(items(tmp_path / "in"), tmp_path / "out", 32, CREDIT, held_out_share=0.5)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_images_without_labels_can_be_held_out(class_folders: Path, tmp_path: Path) -> None:
    made = dataset_builder.build(items(class_folders / "cat"), tmp_path / "out", 32, CREDIT, held_out_share=0.3)
    found = dataset_files.load(tmp_path / "out").held_out
    assert found is not None
    assert (made.classes, made.count + made.held_out) == ((), 16)
    assert found.labels.tolist() == [-1] * made.held_out
