import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.image_hash import count_close_pairs, count_near, image_hashes


def _cell_means(image: np.ndarray) -> list[list[Fraction]]:
    height, width, _ = image.shape
    grey = (image.astype(int) * [1, 2, 1]).sum(axis=-1)
    return [
        [
            sum(
                (
                    int(grey[y, x]) * _overlap(y, row, height, 8) * _overlap(x, column, width, 9)
                    for y in range(height)
                    for x in range(width)
                ),
                start=Fraction(0),
            )
            for column in range(9)
        ]
        for row in range(8)
    ]


def _overlap(pixel: int, cell: int, length: int, cells: int) -> Fraction:
    start, end = Fraction(cell * length, cells), Fraction((cell + 1) * length, cells)
    return max(min(Fraction(pixel + 1), end) - max(Fraction(pixel), start), Fraction(0))


@pytest.mark.parametrize(("height", "width"), [(8, 9), (16, 16), (20, 14)])
def test_hash_is_the_sign_of_exact_differences(height: int, width: int) -> None:
    images = np.random.default_rng(1).integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    expected = []
    for image in images:
        means = _cell_means(image)
        bits = "".join(str(int(row[k] < row[k + 1])) for row in means for k in range(8))
        expected.append(int(bits, 2))
    assert [int(value) for value in image_hashes(images)] == expected


def test_large_images_stay_exact() -> None:
    # A white image: all cells are equal, so a single rounding error would set a bit.
    assert image_hashes(np.full((1, 512, 512, 3), 255, np.uint8)).tolist() == [0]
    assert image_hashes(np.full((1, 128, 128, 3), 255, np.uint8)).tolist() == [0]


@given(
    st.lists(st.integers(0, 2**64 - 1), max_size=8),
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 63), st.integers(0, 63)), max_size=30),
    st.integers(0, 3),
)
def test_close_pairs_are_those_of_a_double_loop(
    bases: list[int], changes: list[tuple[int, int, int]], bits: int
) -> None:
    values = bases + [bases[which] ^ (1 << a) ^ (1 << b) for which, a, b in changes if which < len(bases)]
    pairs = itertools.combinations(values, 2)
    expected = sum((first ^ second).bit_count() <= bits for first, second in pairs)
    assert count_close_pairs(np.asarray(values, dtype=np.uint64), bits) == expected


def test_pairs_of_many_equal_hashes_are_all_found() -> None:
    assert count_close_pairs(np.zeros(200, np.uint64), 0) == 200 * 199 // 2


def test_bits_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 3, got 4"):
        count_close_pairs(np.zeros(2, np.uint64), 4)


@given(st.lists(st.integers(0, 255), max_size=40), st.lists(st.integers(0, 255), max_size=40), st.integers(0, 8))
def test_near_hashes_are_those_of_a_double_loop(values: list[int], known: list[int], bits: int) -> None:
    expected = [sum((value ^ other).bit_count() <= bits for other in known) for value in values]
    found = count_near(np.asarray(values, dtype=np.uint64), np.asarray(known, dtype=np.uint64), bits)
    assert found.tolist() == expected


def test_many_hashes_are_compared_in_parts() -> None:
    values = np.arange(1000, dtype=np.uint64)
    assert count_near(values, values, 0).tolist() == [1] * 1000
