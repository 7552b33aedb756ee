import torch

from training.dataset.store import Dataset
from training.feed import Feed

CPU = torch.device("cpu")


def test_an_epoch_shows_each_image_at_most_once_and_the_next_is_shuffled_anew(dataset: Dataset) -> None:
    feed = Feed(dataset, 5, 0, CPU)
    epochs = [torch.cat([feed.at(epoch * 4 + step)[0] for step in range(4)]) for epoch in range(2)]
    assert feed.steps_per_epoch == 4
    assert all(len({image.numpy().tobytes() for image in epoch}) == 20 for epoch in epochs)
    assert not torch.equal(*epochs)


def test_a_batch_is_a_pure_function_of_seed_and_step(dataset: Dataset) -> None:
    there, back = Feed(dataset, 5, 7, CPU), Feed(dataset, 5, 7, CPU)
    forth = [there.at(step)[0] for step in range(12)]
    assert all(torch.equal(forth[step], back.at(step)[0]) for step in reversed(range(12)))
    assert not torch.equal(forth[0], Feed(dataset, 5, 8, CPU).at(0)[0])


def test_labels_stay_with_their_images(dataset: Dataset) -> None:
    images, labels = Feed(dataset, 24, 0, CPU).at(3)
    assert labels is not None
    for image, label in zip(images, labels, strict=True):
        assert dataset.labels[(dataset.images == image).flatten(1).all(1)] == label


def test_a_batch_is_never_larger_than_the_data(dataset: Dataset) -> None:
    assert Feed(dataset, 128, 0, CPU).at(0)[0].shape == (24, 3, 32, 32)
