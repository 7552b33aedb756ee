import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api import byte_ranges
from app.api.byte_ranges import ByteRange, UnsatisfiableError


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=2-", (2, 10)),
        ("bytes=2-5", (2, 6)),
        ("bytes=2-500", (2, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-30", (0, 10)),
        ("Bytes = 1-2 ", (1, 3)),
    ],
)
def test_a_range_is_read(header: str, expected: tuple[int, int]) -> None:
    assert byte_ranges.parse(header, 10) == ByteRange(*expected, 10)


@pytest.mark.parametrize(
    "header",
    [None, "", "bytes", "bytes=", "bytes=-", "bytes=5-2", "lines=0-1", "bytes=0-1,4-5", "bytes=a-b", "bytes=٣-"],
)
def test_what_is_no_single_range_of_bytes_stands_for_the_whole(header: str | None) -> None:
    assert byte_ranges.parse(header, 10) is None


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=999999999999999999-"])
def test_a_range_without_a_byte_cannot_be_had(header: str) -> None:
    with pytest.raises(UnsatisfiableError):
        byte_ranges.parse(header, 10)


@given(st.text(max_size=40), st.integers(0, 100))
def test_no_header_does_harm(text: str, size: int) -> None:
    for header in (text, f"bytes={text}"):
        try:
            found = byte_ranges.parse(header, size)
        except UnsatisfiableError:
            continue
        assert found is None or 0 <= found.start < found.stop <= size


def test_a_long_header_is_read_fast() -> None:
    began = time.perf_counter()
    for padding in (" " * 1_000_000, "0" * 1_000_000):
        for header in (f"bytes={padding}x", f"bytes=0-{padding}x", f"bytes={padding}-{padding}"):
            assert byte_ranges.parse(header, 10) is None
    assert time.perf_counter() - began < 1


def test_a_range_names_itself() -> None:
    assert (ByteRange(2, 6, 10).length, ByteRange(2, 6, 10).content_range) == (4, "bytes 2-5/10")
