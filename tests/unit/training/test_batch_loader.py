import dataclasses
import threading
from typing import Any

import pytest
import torch
from torch import Tensor

from training import batch_loader as loaders
from training.batch_loader import Batch, BatchLoader
from training.dataset.dataset_files import Dataset
from training.errors import RecipeError

CPU = torch.device("cpu")


def unlabelled(dataset: Dataset) -> Dataset:
    return dataclasses.replace(dataset, description=dataset.description.model_copy(update={"classes": ()}))


def keys(images: Tensor) -> list[bytes]:
    return [image.numpy().tobytes() for image in images]


def test_an_epoch_shows_each_image_at_most_once_and_the_next_is_shuffled_anew(dataset: Dataset) -> None:
    loader = BatchLoader(dataset, 5, 0, CPU)
    epochs = [torch.cat([loader.load(epoch * 4 + step)[0] for step in range(4)]) for epoch in range(2)]
    assert loader.steps_per_epoch == 4
    assert all(len(set(keys(epoch))) == 20 for epoch in epochs)
    assert not torch.equal(*epochs)


@pytest.mark.parametrize("balance", [0, 0.7])
@pytest.mark.parametrize("resident", [True, False])
def test_a_batch_is_a_pure_function_of_seed_and_step(dataset: Dataset, balance: float, resident: bool) -> None:
    there, back = (BatchLoader(dataset, 5, 7, CPU, balance, resident=resident) for _ in range(2))
    forth = [there.load(step)[0] for step in range(12)]
    assert all(torch.equal(forth[step], back.load(step)[0]) for step in reversed(range(12)))
    assert not torch.equal(forth[0], BatchLoader(dataset, 5, 8, CPU, balance).load(0)[0])


def test_labels_stay_with_their_images(dataset: Dataset) -> None:
    images, labels = BatchLoader(dataset, 24, 0, CPU).load(3)
    assert labels is not None
    for image, label in zip(images, labels, strict=True):
        assert dataset.labels[(dataset.images == image).flatten(1).all(1)] == label


def test_unlabelled_images_come_without_labels(dataset: Dataset) -> None:
    for resident in (True, False):
        assert BatchLoader(unlabelled(dataset), 24, 0, CPU, resident=resident).load(0)[1] is None


def test_a_batch_is_never_larger_than_the_data(dataset: Dataset) -> None:
    assert BatchLoader(dataset, 128, 0, CPU).load(0)[0].shape == (24, 3, 32, 32)


def test_a_balanced_epoch_shows_every_class_equally_often(dataset: Dataset) -> None:
    loader = BatchLoader(dataset, 8, 0, CPU, balance=1)
    labels = [labels for _, labels in map(loader.load, range(3)) if labels is not None]
    assert loader.steps_per_epoch == 3
    assert torch.cat(labels).bincount().tolist() == [12, 12]


def test_balance_without_classes_is_refused(dataset: Dataset) -> None:
    with pytest.raises(RecipeError, match=r"balance 0.5 needs classes, but this dataset has none"):
        BatchLoader(unlabelled(dataset), 8, 0, CPU, balance=0.5)


def test_balance_over_more_classes_than_an_epoch_has_images_is_refused(dataset: Dataset) -> None:
    names = tuple(map(str, range(25)))
    many = dataclasses.replace(dataset, description=dataset.description.model_copy(update={"classes": names}))
    with pytest.raises(RecipeError, match="an image of each of 25 classes in every epoch, which has 24 images"):
        BatchLoader(many, 8, 0, CPU, balance=0.5)


@pytest.mark.parametrize("balance", [0, 1])
@pytest.mark.parametrize("resident", [True, False])
def test_the_slices_of_all_processes_make_up_the_batch_of_one(dataset: Dataset, balance: float, resident: bool) -> None:
    alone = BatchLoader(dataset, 6, 0, CPU, balance)
    slices = [BatchLoader(dataset, 6, 0, CPU, balance, rank, 3, resident) for rank in range(3)]
    for step in range(alone.steps_per_epoch + 1):
        whole, labels = alone.load(step)
        parts = [loader.load(step) for loader in slices]
        assert [len(images) for images, _ in parts] == [loader.local_batch for loader in slices] == [2, 2, 2]
        assert torch.equal(torch.cat([images for images, _ in parts]), whole)
        assert labels is not None
        assert torch.equal(torch.cat([of for _, of in parts if of is not None]), labels)
    assert {(loader.batch, loader.steps_per_epoch) for loader in slices} == {(6, 4)}


def test_a_batch_larger_than_the_data_still_divides_among_the_processes(dataset: Dataset) -> None:
    loader = BatchLoader(dataset, 35, 0, CPU, rank=6, world_size=7)
    assert (loader.batch, loader.local_batch, loader.steps_per_epoch) == (21, 3, 1)
    assert len(loader.load(0)[0]) == 3


@pytest.mark.parametrize(
    ("batch", "world_size", "message"),
    [(8, 3, "a batch of 8 does not divide among 3 processes"), (50, 25, "24 images are too few for 25 processes")],
)
def test_processes_that_do_not_fit_are_refused(dataset: Dataset, batch: int, world_size: int, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        BatchLoader(dataset, batch, 0, CPU, world_size=world_size)


@pytest.mark.parametrize("balance", [0, 0.5])
def test_a_mapped_dataset_gives_the_batches_of_a_resident_one(dataset: Dataset, balance: float) -> None:
    resident, mapped = (BatchLoader(dataset, 5, 3, CPU, balance, resident=resident) for resident in (True, False))
    for step in (0, 1, 2, 3, 4, 9, 2, 3, 11):
        for expected, found in zip(resident.load(step), mapped.load(step), strict=True):
            assert expected is not None
            assert found is not None
            assert torch.equal(expected, found)


def test_a_mapped_dataset_is_gathered_ahead_on_a_thread_of_its_own(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    gathered, by, ahead = loaders._gather, list[threading.Thread](), threading.Event()

    def recorded(*arguments: Any) -> Batch:
        by.append(threading.current_thread())
        if len(by) == 2:
            ahead.set()
        return gathered(*arguments)

    before = set(threading.enumerate())
    resident, mapped = (BatchLoader(dataset, 5, 3, CPU, resident=resident) for resident in (True, False))
    resident.load(0)
    assert set(threading.enumerate()) <= before
    monkeypatch.setattr(loaders, "_gather", recorded)
    mapped.load(0)
    (reader,) = set(threading.enumerate()) - before
    assert ahead.wait(timeout=10)
    assert by == [reader, reader]
    del mapped
    reader.join(timeout=10)
    assert not reader.is_alive()


@pytest.mark.parametrize(("spare_bytes", "resident"), [(0, True), (-1, False)])
def test_a_dataset_is_resident_where_it_leaves_half_of_the_memory(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, spare_bytes: int, resident: bool
) -> None:
    monkeypatch.setattr(loaders, "memory_bytes", lambda _: 2 * (dataset.images.nbytes + spare_bytes))
    assert BatchLoader(dataset, 5, 0, CPU).resident is resident


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_gpu_gets_the_batches_of_a_cpu(dataset: Dataset) -> None:
    for resident in (True, False):
        here, there = (
            BatchLoader(dataset, 5, 3, CPU),
            BatchLoader(dataset, 5, 3, torch.device("cuda"), resident=resident),
        )
        for step in range(9):
            for expected, found in zip(here.load(step), there.load(step), strict=True):
                assert expected is not None
                assert found is not None
                assert found.is_cuda
                assert torch.equal(expected, found.cpu())
