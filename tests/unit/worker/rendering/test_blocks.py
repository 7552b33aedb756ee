from worker.rendering.blocks import block_of, slots, split


def test_blocks_are_aligned_to_their_size() -> None:
    assert block_of(3, 8) == block_of(0, 8) == range(0, 8)
    assert block_of(8, 8) == range(8, 16)


def test_indices_are_split_where_blocks_begin() -> None:
    assert list(split(range(3, 17), 8)) == [range(3, 8), range(8, 16), range(16, 17)]
    assert list(split(range(8, 16), 8)) == [range(8, 16)]
    assert list(split(range(9, 11), 8)) == [range(9, 11)]


def test_slots_are_positions_in_a_block() -> None:
    assert slots(range(9, 11), range(8, 16)) == range(1, 3)
