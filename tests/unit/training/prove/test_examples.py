import torch

from training.prove.examples import Examples, shuffled_by_class

EXAMPLES = Examples(torch.arange(9.0).view(9, 1), torch.tensor([0, 1, 2] * 3))


def test_some_examples_keep_their_labels() -> None:
    some = EXAMPLES.take(torch.tensor([4, 2]))
    assert (some.inputs.flatten().tolist(), some.labels.tolist(), len(some)) == ([4, 2], [1, 2], 2)


def test_shuffled_labels_keep_the_sizes_of_the_classes() -> None:
    shuffled = EXAMPLES.shuffle_labels(1)
    assert torch.equal(shuffled.inputs, EXAMPLES.inputs)
    assert not torch.equal(shuffled.labels, EXAMPLES.labels)
    assert shuffled.counts(4) == EXAMPLES.counts(4) == [3, 3, 3, 0]
    assert torch.equal(shuffled.labels, EXAMPLES.shuffle_labels(1).labels)


def test_the_order_of_a_class_depends_on_the_seed_alone() -> None:
    first, again, other = (shuffled_by_class(torch.zeros(50).long(), 2, seed)[0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert sorted(first.tolist()) == list(range(50))
    assert shuffled_by_class(torch.zeros(50).long(), 2, 1)[1].tolist() == []
