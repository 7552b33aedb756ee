import io
import struct
import unicodedata
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from training.dataset import zip_members
from training.errors import DatasetError

PICTURE = b"pixels"


def made(
    path: Path,
    names: list[bytes],
    flag: int = 0,
    method: int = 0,
    extra: Callable[[bytes], bytes] = lambda _: b"",
    mode: int = 0o100644,
) -> Path:
    """A zip whose names are the given bytes."""
    out = directory = b""
    for name in names:
        more, head = extra(name), (20, flag, method, 0, 33, zlib.crc32(PICTURE), len(PICTURE), len(PICTURE))
        directory += struct.pack("<4sH5H3L", b"PK\1\2", 3 << 8 | 20, *head)
        directory += struct.pack("<5H2L", len(name), len(more), 0, 0, 0, mode << 16, len(out)) + name + more
        out += struct.pack("<4s5H3L2H", b"PK\3\4", *head, len(name), len(more)) + name + more + PICTURE
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, len(names), len(names), len(directory), len(out), 0)
    path.write_bytes(out + directory + end)
    return path


def names(path: Path, encoding: str | None = None) -> list[str]:
    return [unicodedata.normalize("NFC", file.name) for file in zip_members.list_zip(path, encoding).files]


def unicode_path(name: bytes) -> bytes:
    body = struct.pack("<BL", 1, zlib.crc32(name)) + name.decode("cp932").encode()
    return struct.pack("<HH", 0x7075, len(body)) + body


def test_names_in_utf8_are_read_without_the_flag(tmp_path: Path) -> None:
    written = [unicodedata.normalize("NFD", "caf\u00e9/1.png").encode(), "\u732b/2.png".encode()]
    assert names(made(tmp_path / "a.zip", written)) == ["caf\u00e9/1.png", "\u732b/2.png"]


def test_the_field_for_unicode_names_is_read_where_its_checksum_fits(tmp_path: Path) -> None:
    written = ["\u732b/1.png".encode("cp932")]
    assert names(made(tmp_path / "a.zip", written, extra=unicode_path)) == ["\u732b/1.png"]
    path = made(tmp_path / "b.zip", written, extra=lambda _: unicode_path(b"other.png"))
    assert names(path) != ["\u732b/1.png"]


def test_names_in_another_code_page_are_told_and_read_by_the_option(tmp_path: Path) -> None:
    path = made(tmp_path / "a.zip", ["\u732b/1.png".encode("cp932"), b"plain.png"])
    (note,) = zip_members.list_zip(path).notes
    assert "read as code page 437" in note
    assert "--zip-names" in note
    assert names(path, "cp932") == ["plain.png", "\u732b/1.png"]
    assert zip_members.list_zip(path, "cp932").notes == []


@pytest.mark.parametrize(
    ("encoding", "message"), [("klingon", "no such encoding"), ("utf-8", "is not valid in this encoding")]
)
def test_an_encoding_that_does_not_fit_is_refused(tmp_path: Path, encoding: str, message: str) -> None:
    with pytest.raises(DatasetError, match=f"--zip-names {encoding}: .*{message}"):
        zip_members.list_zip(made(tmp_path / "a.zip", [b"\x94\x4c.png"]), encoding)


def test_names_of_old_dos_are_read_as_they_were(tmp_path: Path) -> None:
    assert names(made(tmp_path / "a.zip", ["caf\u00e9.png".encode("cp437")])) == ["caf\u00e9.png"]


@pytest.mark.parametrize("second", [b"img/0.png", b"img\\0.png", b"./img/0.png", b"/img//0.png"])
def test_two_members_of_one_name_are_told(tmp_path: Path, second: bytes) -> None:
    found = zip_members.list_zip(made(tmp_path / "a.zip", [b"img/0.png", second, b"img/1.png"]))
    assert [file.name for file in found.files] == ["img/0.png", "img/1.png"]
    assert found.rejected == [("img/0.png", "a later member of the zip has the same name")]


@pytest.mark.parametrize(
    ("method", "flag", "mode", "message"),
    [
        (9, 0, 0o100644, "compressed with Deflate64, which is not supported; unpack the zip and zip it again"),
        (98, 0, 0o100644, "compressed with PPMd"),
        (77, 0, 0o100644, "compressed with method 77"),
        (99, 1, 0o100644, "encrypted"),
        (0, 0, 0o120777, "a link inside of the zip"),
    ],
)
def test_a_member_that_is_not_read_says_why(tmp_path: Path, method: int, flag: int, mode: int, message: str) -> None:
    found = zip_members.list_zip(made(tmp_path / "a.zip", [b"a.png"], flag, method, mode=mode))
    with pytest.raises(DatasetError, match=message):
        found.files[0].read()


def test_a_name_that_leads_out_is_read_and_told(tmp_path: Path) -> None:
    found = zip_members.list_zip(made(tmp_path / "a.zip", [b"../photos/0.png", b"../../etc/1.png"]))
    assert [file.name for file in found.files] == ["etc/1.png", "photos/0.png"]
    assert "names lead out of the zip, the first is '../photos/0.png'" in found.notes[0]


def test_what_is_no_whole_zip_says_what_it_is(tmp_path: Path) -> None:
    whole = made(tmp_path / "a.zip", [b"a.png", b"b.png"]).read_bytes()
    for data, message in (
        (whole[:-60], "the end of the zip is missing, as after an incomplete download"),
        (b"PK\7\x08" + whole[:-60], "the first part of a zip in several parts"),
        (whole.replace(b"PK\1\2", b"PK\1\3"), "a damaged zip"),
        (b"7z\xbc\xaf\x27\x1c", r"an archive of another kind \(7z\); unpack it first"),
        (bytes(257) + b"ustar", r"another kind \(tar\)"),
        (b"hello", "neither a folder nor a zip"),
    ):
        (tmp_path / "b.zip").write_bytes(data)
        with pytest.raises(DatasetError, match=message):
            zip_members.list_zip(tmp_path / "b.zip")


def test_a_zip_that_was_added_to_keeps_the_last_of_a_name(tmp_path: Path) -> None:
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w") as target:
        warnings.simplefilter("ignore")
        target.writestr("a.png", b"old")
        target.writestr("a.png", b"new")
    (tmp_path / "a.zip").write_bytes(file.getvalue())
    (found,) = zip_members.list_zip(tmp_path / "a.zip").files
    assert (found.read(), found.head(2)) == (b"new", b"ne")
