from itertools import pairwise

from worker.contracts.splits import MAX_SPLIT_START, split_indices


def test_splits_follow_each_other_and_json_can_name_their_indices() -> None:
    splits = [split_indices("train"), split_indices("validation"), split_indices("test")]
    assert splits[0].start == 0
    assert all(before.stop == after.start for before, after in pairwise(splits))
    assert splits[-1].stop <= split_indices(None).stop == 2**53


def test_a_job_at_the_largest_start_has_room_for_more_images_than_a_store_holds() -> None:
    for split in ("train", "validation", "test"):
        assert len(split_indices(split)) - MAX_SPLIT_START >= 2**50
