import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import unpackers
from tests.unpackers import UNPACKERS
from worker.archive import zip_format


def build(files: dict[str, bytes]) -> bytes:
    data, entries = b"", []
    for name, content in files.items():
        entries.append(zip_format.Entry(name, len(data), len(content), zlib.crc32(content)))
        data += zip_format.stored_member(name, content)
    return data + zip_format.central_directory(entries, len(data))


@given(st.dictionaries(st.text(st.characters(categories=["L", "N"]), min_size=1), st.binary(max_size=200), max_size=9))
def test_python_reads_back_what_was_stored(files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(build(files))) as file:
        assert file.testzip() is None
        assert {name: file.read(name) for name in file.namelist()} == files


@pytest.mark.parametrize("unpacker", UNPACKERS)
def test_unpackers_accept_an_archive(unpacker: str, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(build({"images/Ä/0.png": b"x" * 1000, "README.md": b""}))
    unpackers.check(unpacker, path)


def test_files_carry_the_first_day_of_the_format_and_plain_permissions() -> None:
    with zipfile.ZipFile(io.BytesIO(build({"a": b"x"}))) as file:
        info = file.getinfo("a")
    assert info.date_time == (1980, 1, 1, 0, 0, 0)
    assert info.external_attr >> 16 == 0o100644
    assert info.compress_type == zipfile.ZIP_STORED


@pytest.mark.parametrize("count", [65_534, 65_535, 65_536, 70_000])
def test_more_files_than_the_old_format_counts_are_kept(count: int, tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    path.write_bytes(build_many(count))
    with zipfile.ZipFile(path) as file:
        assert len(file.namelist()) == count
        assert file.read(f"{count - 1:06d}") == b"x"


@pytest.mark.parametrize("unpacker", UNPACKERS)
@pytest.mark.parametrize("count", [65_534, 65_535, 65_536, 70_000])
def test_unpackers_accept_more_files_than_the_old_format_counts(unpacker: str, count: int, tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    path.write_bytes(build_many(count))
    unpackers.check(unpacker, path)


def build_many(count: int) -> bytes:
    names = [f"{index:06d}" for index in range(count)]
    member = len(zip_format.stored_member(names[0], b"x"))
    entries = [zip_format.Entry(name, k * member, 1, zlib.crc32(b"x")) for k, name in enumerate(names)]
    data = b"".join(zip_format.stored_member(name, b"x") for name in names)
    return data + zip_format.central_directory(entries, len(data))


@pytest.mark.parametrize("gap", [2**32 - 2, 2**32 - 1, 2**32, 2**33])
def test_files_beyond_four_gigabytes_are_found(gap: int, tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    first, last = zip_format.stored_member("first", b"1"), zip_format.stored_member("last", b"2")
    entries = [zip_format.Entry("first", 0, 1, zlib.crc32(b"1")), zip_format.Entry("last", gap, 1, zlib.crc32(b"2"))]
    with path.open("wb") as file:  # sparse: the gap takes no room on the disk
        file.write(first)
        file.seek(gap)
        file.write(last + zip_format.central_directory(entries, gap + len(last)))
    with zipfile.ZipFile(path) as large:
        assert (large.read("first"), large.read("last")) == (b"1", b"2")


def test_a_small_archive_needs_no_zip64() -> None:
    assert struct.pack("<L", 0x06064B50) not in build({"a": b"x"})


@pytest.mark.parametrize(("count", "is_zip64"), [(65_534, False), (65_535, True)])
def test_the_largest_count_of_the_old_format_means_zip64(count: int, is_zip64: bool) -> None:
    """65 535 says that the true count stands in the Zip64 record, so it must be there (APPNOTE 4.4.22)."""
    directory = zip_format.central_directory([zip_format.Entry("a", 0, 1, 0)] * count, 0)
    assert (b"PK\6\6" in directory) == is_zip64


@pytest.mark.parametrize(("offset", "is_zip64"), [(0xFFFFFFFE, False), (0xFFFFFFFF, True)])
def test_the_largest_offset_of_the_old_format_means_zip64(offset: int, is_zip64: bool) -> None:
    """0xFFFFFFFF says that the true offset stands in the extra field, so it must be there (APPNOTE 4.4.16)."""
    directory = zip_format.central_directory([zip_format.Entry("a", offset, 1, 0)], 0)
    (extra_length,) = struct.unpack_from("<H", directory, 30)
    assert extra_length == (12 if is_zip64 else 0)
