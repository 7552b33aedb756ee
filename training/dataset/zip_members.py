"""Lists the members of a zip with correctly decoded names."""

import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import NoReturn

from training.dataset import source_paths
from training.dataset.folder_files import check_size
from training.dataset.listing import File, Listing, ignore_reason
from training.errors import DatasetError

_ENCRYPTED, _UTF8 = 0x1, 0x800
_UNICODE_PATH = 0x7075
_METHODS = {9: "Deflate64", 10: "PKWARE Implode", 93: "Zstandard", 95: "XZ", 96: "JPEG", 97: "WavPack", 98: "PPMd"}
_AES = 99
_OTHER_ARCHIVES = {b"7z\xbc\xaf": "7z", b"Rar!": "RAR", b"\x1f\x8b": "gzip", b"\xfd7zXZ": "xz", b"BZh": "bzip2"}


def list_zip(path: Path, encoding: str | None = None) -> Listing:
    """List a zip. Names that do not declare UTF-8 are decoded with `encoding`, or with a guess.

    Raises DatasetError when the zip is incomplete, or when its names do not fit the encoding.
    """
    archive = _opened(path)
    listing = Listing()
    found: dict[str, File] = {}
    names = _names(archive.infolist(), encoding, listing)
    for info, written in zip(archive.infolist(), names, strict=True):
        name = _inside(written, listing)
        if reason := ignore_reason(name):
            listing.skipped.add(reason, name)
        elif info.is_dir() or written.endswith(("/", "\\")):
            listing.folders.add(name)
        else:
            # Readers of zips keep the last member of a name.
            if name in found:
                listing.rejected.append((name, "a later member of the zip has the same name"))
            found[name] = _member(archive, info, name)
    listing.files = [found[name] for name in sorted(found)]
    listing.folders |= source_paths.ancestors(found)
    return listing


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: a name in it claims to be UTF-8 and is not; unpack the zip first") from error
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        _explain(path, error)


def _explain(path: Path, error: Exception) -> NoReturn:
    with path.open("rb") as file:
        head = file.read(262)
    kind = next((kind for magic, kind in _OTHER_ARCHIVES.items() if head.startswith(magic)), None)
    kind = kind or ("tar" if head[257:262] == b"ustar" else None)
    if kind:
        raise DatasetError(f"{path}: an archive of another kind ({kind}); unpack it first") from error
    if head.startswith(b"PK\x07\x08"):
        raise DatasetError(f"{path}: the first part of a zip in several parts; join or unpack them first") from error
    if not head.startswith(b"PK\x03\x04"):
        raise DatasetError(f"{path}: neither a folder nor a zip ({error})") from error
    if "not a zip file" in str(error):
        raise DatasetError(f"{path}: the end of the zip is missing, as after an incomplete download") from error
    raise DatasetError(f"{path}: a damaged zip ({error}); download or make it again") from error


def _names(infos: list[zipfile.ZipInfo], encoding: str | None, listing: Listing) -> list[str]:
    """Decode all names. A zip can only declare UTF-8, and many programs do not even do that."""
    raw = [None if info.flag_bits & _UTF8 else info.orig_filename.encode("cp437") for info in infos]
    proven = [_unicode_path(info.extra, name) for info, name in zip(infos, raw, strict=True)]
    unsure = [name for name, path in zip(raw, proven, strict=True) if name is not None and path is None]
    used = encoding or _guessed(unsure)
    decoded = [
        path or (info.orig_filename if name is None else _decoded(name, used))
        for info, name, path in zip(infos, raw, proven, strict=True)
    ]
    odd = next((name for name in unsure if not name.isascii()), None)
    if odd is not None and used == "cp437":
        shown = _decoded(odd, used)
        listing.notes.append(
            f"the zip does not say how its names are encoded; read as code page 437, the first is {shown!r}. "
            "If that is wrong, say e.g. --zip-names cp932 (Japanese), gbk (Chinese) or cp1252"
        )
    return decoded


def _guessed(names: list[bytes]) -> str:
    try:
        # All names together: a single wrong one shows that the zip is not UTF-8.
        b"\n".join(names).decode("utf-8")
    except UnicodeDecodeError:
        return "cp437"
    return "utf-8"


def _decoded(name: bytes, encoding: str) -> str:
    try:
        return name.decode(encoding)
    except LookupError as error:
        raise DatasetError(f"--zip-names {encoding}: no such encoding") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"--zip-names {encoding}: the name {name[:80]!r} is not valid in this encoding") from error


def _unicode_path(extra: bytes, name: bytes | None) -> str | None:
    """Read Info-ZIP's extra field with the name in UTF-8. It contains the checksum of the original name."""
    while name is not None and len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        body, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == _UNICODE_PATH and len(body) > 5 and struct.unpack_from("<BL", body) == (1, zlib.crc32(name)):
            return body[5:].decode("utf-8", errors="backslashreplace")
    return None


def _inside(written: str, listing: Listing) -> str:
    """Return a member's path in the standard form, whatever program wrote the zip. Members are never unpacked to
    disk.
    """
    path = written.partition("\0")[0].replace("\\", "/")
    if not path.startswith("/") and "./" not in path and "//" not in path:
        return path.rstrip("/")
    parts = [part for part in path.split("/") if part not in {"", ".", ".."}]
    if ".." in path.split("/") and not any("'..'" in note for note in listing.notes):
        listing.notes.append(f"names lead out of the zip, the first is {written!r}; they are read without their '..'")
    return "/".join(parts) or "."


class _Member:
    """Reads a member of a zip."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        self._archive, self._info = archive, info

    def __call__(self) -> bytes:
        check_size(self._info.file_size)
        return self.head(None)

    def head(self, count: int | None) -> bytes:
        """Read the first bytes, or all bytes."""
        _check_readable(self._info)
        try:
            with self._archive.open(self._info) as file:
                return file.read() if count is None else file.read(count)
        except NotImplementedError as error:
            method = _METHODS.get(self._info.compress_type, f"method {self._info.compress_type}")
            raise DatasetError(
                f"compressed with {method}, which is not supported; unpack the zip and zip it again"
            ) from error
        except Exception as error:  # a damaged member breaks in many places
            raise DatasetError(f"damaged in the zip ({error})") from error


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> File:
    reader = _Member(archive, info)
    return File(name, reader, reader.head)


def _check_readable(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & _ENCRYPTED or info.compress_type == _AES:
        raise DatasetError("encrypted; unpack the zip first")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise DatasetError("a link inside of the zip; unpack the zip first")
