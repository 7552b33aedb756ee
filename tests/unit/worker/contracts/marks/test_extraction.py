import io
import struct
import time
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from tests.unit.worker.contracts.marks.marked import IMAGE_FORMATS, decoded, encoded, marked, noise
from worker.contracts.formats import Format
from worker.contracts.marks.extraction import MAX_PACKET_BYTES, find_packet
from worker.contracts.marks.xmp_packet import find_address

PNG = b"\x89PNG\r\n\x1a\n"
DEADLINE_SECONDS = 2
"""For reading a hostile file; the limits keep it far below a second."""


def address_of(data: bytes) -> str | None:
    packet = find_packet(data)
    address = None if packet is None else find_address(packet)
    return None if address is None else address.uri


@pytest.mark.parametrize("file_format", IMAGE_FORMATS)
def test_a_file_that_pillow_has_written_again_keeps_its_mark(file_format: Format) -> None:
    data = marked(encoded(noise(), file_format), file_format)
    packet = find_packet(data)
    assert packet is not None
    for other in IMAGE_FORMATS:
        file = io.BytesIO()
        if other == "png":
            text = PngImagePlugin.PngInfo()
            text.add_itxt("XML:com.adobe.xmp", packet.decode())
            decoded(data).save(file, "png", pnginfo=text)
        else:
            decoded(data).save(file, other, xmp=packet)
        assert address_of(file.getvalue()) == address_of(data) is not None


def test_another_notation_of_the_packet_is_read() -> None:
    packet = find_packet(marked(encoded(noise(), "png"), "png"))
    assert packet is not None
    address = find_address(packet)
    assert address is not None
    assert find_address(f"<dc:identifier>\n {address.uri}\n</dc:identifier>".encode()) == address
    assert find_address(f"imagemill:wrong 'imagemill:x' '{address.uri}'".encode()) == address


@pytest.mark.parametrize("file_format", IMAGE_FORMATS)
def test_an_image_without_a_mark_has_none(file_format: Format) -> None:
    assert find_packet(encoded(noise(), file_format)) is None


@given(st.sampled_from(IMAGE_FORMATS), st.integers(0, 40_000), st.integers(0, 40_000), st.binary(max_size=64))
def test_damaged_files_raise_nothing(file_format: Format, cut: int, place: int, noise_bytes: bytes) -> None:
    data = marked(encoded(Image.new("RGB", (64, 64)), file_format), file_format)
    find_packet(data[: cut % len(data)])
    place %= len(data)
    packet = find_packet(data[:place] + noise_bytes + data[place + len(noise_bytes) :])
    assert packet is None or len(packet) <= MAX_PACKET_BYTES


@given(st.sampled_from([b"", PNG, b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP"]), st.binary())
@example(b"RIFF\0\0\0\0WEBP", b"XMP \xff\xff\xff\xff")
@example(PNG, b"\xff\xff\xff\xffiTXtXML:com.adobe.xmp\0")
@example(b"\xff\xd8\xff", b"\xe1\0\0")
def test_any_bytes_raise_nothing(start: bytes, rest: bytes) -> None:
    packet = find_packet(start + rest)
    assert packet is None or find_address(packet) is None


@pytest.mark.parametrize(
    "data",
    [
        PNG + b"\0\0\0\0aaaa\0\0\0\0" * 1_600_000,
        b"\xff\xd8" + b"\xff\xe1\0\0" * 5_000_000,
        b"RIFF\0\0\0\0WEBP" + b"aaaa\0\0\0\0" * 2_500_000,
        PNG + struct.pack(">L", 20_000_000) + b"iTXtXML:com.adobe.xmp\0\0\0\0\0" + b"imagemill:" * 2_000_000,
    ],
)
def test_a_hostile_file_takes_no_time(data: bytes) -> None:
    began = time.monotonic()
    assert address_of(data) is None
    assert time.monotonic() - began < DEADLINE_SECONDS


def test_a_compressed_packet_is_not_decompressed() -> None:
    text = b"iTXtXML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"imagemill:" * 100)
    assert find_packet(PNG + struct.pack(">L", len(text) - 4) + text + b"\0\0\0\0") is None
