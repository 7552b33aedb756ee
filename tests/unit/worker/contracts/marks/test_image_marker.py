import json
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.unit.worker.contracts.marks.marked import (
    IMAGE_FORMATS,
    LARGEST,
    STYLE,
    decoded,
    encoded,
    marked,
    marked_spec,
    noise,
)
from worker.contracts.formats import SUFFIXES, Format
from worker.contracts.marks.extraction import find_packet
from worker.contracts.marks.image_marker import ImageMarker
from worker.contracts.marks.xmp_packet import DIGITAL_SOURCE_TYPE, find_address

MOST_BYTES = 650
PACKET = """\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">\
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" \
xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" \
Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia" \
dc:identifier="imagemill:{model}/7/3;class=2;numerics=cuda-bfloat16"/></rdf:RDF></x:xmpmeta><?xpacket end="r"?>"""
"""The bytes of marked images never change, so neither does this text."""


@pytest.mark.parametrize("file_format", IMAGE_FORMATS)
def test_the_packet_keeps_its_bytes(file_format: Format) -> None:
    data = marked(encoded(noise(), file_format), file_format, index=3, class_number=2, seed=7)
    assert find_packet(data) == PACKET.format(model="9" * 64).encode()


def test_marked_files_keep_their_bytes() -> None:
    packet, head = PACKET.format(model="9" * 64).encode(), bytes(33)
    text = b"iTXtXML:com.adobe.xmp\0\0\0\0\0" + packet
    chunk = struct.pack(">L", len(text) - 4) + text + struct.pack(">L", zlib.crc32(text))
    assert mark_of(head + b"rest", "png") == head + chunk + b"rest"
    segment = b"\xff\xe1" + struct.pack(">H", len(packet) + 31) + b"http://ns.adobe.com/xap/1.0/\0" + packet
    assert mark_of(b"\xff\xd8\xff\xe0\0\4ab\xff\xdb", "jpeg") == b"\xff\xd8\xff\xe0\0\4ab" + segment + b"\xff\xdb"
    assert mark_of(b"\xff\xd8\xff\xdb", "jpeg") == b"\xff\xd8" + segment + b"\xff\xdb"
    extended = b"WEBPVP8X\x0a\0\0\0\4\0\0\0\x3f\0\0\x3f\0\0VP8LrestXMP " + struct.pack("<L", len(packet)) + packet
    extended += bytes(len(packet) % 2)
    assert mark_of(b"RIFF....WEBPVP8Lrest", "webp") == b"RIFF" + struct.pack("<L", len(extended)) + extended


def mark_of(file: bytes, file_format: Format) -> bytes:
    return marked(file, file_format, index=3, class_number=2, seed=7)


@pytest.mark.parametrize("side", [32, 33, 64, 256])
@pytest.mark.parametrize("file_format", IMAGE_FORMATS)
def test_pillow_reads_the_mark_and_the_same_pixels(file_format: Format, side: int) -> None:
    spec = marked_spec(file_format)
    spec = spec.model_copy(update={"model": spec.model.model_copy(update={"resolution": side})})
    for index in (0, 10):  # packets of even and odd length
        plain = encoded(noise(side), file_format)
        data = ImageMarker(spec).mark(plain, index, 1)
        image = decoded(data)
        description = ElementTree.fromstring(image.info["xmp"].decode().strip("\ufeff"))[0][0]
        assert description.get("{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType") == DIGITAL_SOURCE_TYPE
        uri = f"imagemill:{'9' * 64}/{LARGEST}/{index};class=1;numerics=cuda-bfloat16"
        assert description.get("{http://purl.org/dc/elements/1.1/}identifier") == uri
        assert image.size == (side, side)
        assert image.mode == "RGB"
        assert image.tobytes() == decoded(plain).tobytes()


@pytest.mark.parametrize("file_format", IMAGE_FORMATS)
def test_a_mark_takes_at_most_650_bytes(file_format: Format) -> None:
    plain = encoded(noise(), file_format)
    assert len(marked(plain, file_format)) - len(plain) <= MOST_BYTES


@pytest.mark.parametrize("class_number", [None, 0, 999])
@pytest.mark.parametrize("file_format", IMAGE_FORMATS)
def test_the_address_is_read_back(file_format: Format, class_number: int | None) -> None:
    for style in (None, STYLE):
        data = marked(encoded(noise(), file_format), file_format, 5, class_number, style=style, seed=7)
        packet = find_packet(data)
        assert packet is not None
        address = find_address(packet)
        assert address is not None
        assert (address.model, address.seed, address.index) == ("9" * 64, 7, 5)
        assert (address.class_number, address.numerics, address.style) == (class_number, "cuda-bfloat16", style)


def test_a_job_without_marks_keeps_its_files() -> None:
    assert marked(b"any bytes", "png", marking="none") == b"any bytes"
    assert marked(b"any bytes", "npz") == b"any bytes"


def test_a_spec_without_marks_has_the_bytes_that_older_programs_read() -> None:
    spec = marked_spec("png", marking="none")
    assert "marking" not in json.loads(spec.model_dump_json())
    assert json.loads(marked_spec("png").model_dump_json())["marking"] == "xmp-1"


@pytest.fixture
def exiftool() -> Callable[[Path], dict[str, str]]:
    program = shutil.which("exiftool")
    if program is None:
        pytest.skip(
            "NO MARK WAS READ BY EXIFTOOL: it is not installed (Debian: apt-get install libimage-exiftool-perl)"
        )

    def read(path: Path) -> dict[str, str]:
        command = [program, "-json", "-validate", "-warning", "-n", str(path)]
        options = ["-XMP:all"]
        found = subprocess.run([*command, *options], capture_output=True, check=True, text=True)
        return dict(json.loads(found.stdout)[0])

    return read


@pytest.mark.parametrize("file_format", IMAGE_FORMATS)
def test_exiftool_reads_the_mark_and_finds_the_file_valid(
    file_format: Format, tmp_path: Path, exiftool: Callable[[Path], dict[str, str]]
) -> None:
    path = tmp_path / f"marked.{SUFFIXES[file_format]}"
    path.write_bytes(marked(encoded(noise(), file_format), file_format, index=3, class_number=2, seed=7))
    read = exiftool(path)
    assert read["DigitalSourceType"] == DIGITAL_SOURCE_TYPE
    assert read["Identifier"] == f"imagemill:{'9' * 64}/7/3;class=2;numerics=cuda-bfloat16"
    assert read["Validate"] == "0 0 0", read
