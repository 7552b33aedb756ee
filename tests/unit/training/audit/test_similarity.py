import numpy as np

from models.image_hash import Hashes
from training.audit import similarity


def hashes(*values: int) -> Hashes:
    return np.array(values, dtype=np.uint64)


FAR = [int(value) for value in np.random.default_rng(0).integers(0, 1 << 63, 6)]


def test_pairs_are_compared_with_as_many_real_images() -> None:
    found = similarity.measure(hashes(FAR[0], FAR[0] ^ 7, FAR[1], FAR[1] ^ 15), hashes(*FAR), None, 2)
    assert (found.compared, found.close_pairs, found.close_real_pairs, found.identical) == (4, 1, 0, 2)


def test_a_copy_differs_in_two_bits_at_most() -> None:
    found = similarity.measure(hashes(FAR[0] ^ 3, FAR[1] ^ 7, 0, FAR[5]), hashes(*FAR), None, 0)
    assert (found.hash_copies, found.hash_copies_of_reals) == (0.5, 0)


def test_a_training_image_is_no_copy_of_itself_but_a_held_out_one_can_be_a_copy() -> None:
    twice = similarity.measure(hashes(0), hashes(*FAR[:3], FAR[0] ^ 1), None, 0)
    assert twice.hash_copies_of_reals == 0.5
    held_out = similarity.measure(hashes(0), hashes(*FAR[:3]), hashes(FAR[0], FAR[4]), 0)
    assert held_out.hash_copies_of_reals == 0.5
