"""Determines the kind of a file: by a known suffix, otherwise by its first bytes."""

from typing import Literal

from PIL import Image

from training.dataset import source_paths
from training.dataset.listing import File
from training.dataset.square_image import FORMATS

Kind = Literal["image", "archive", "foreign", "other"]
"""A foreign file is a picture in an unsupported format."""

IMAGE_SUFFIXES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".pjpeg", ".pjp", ".webp", ".avif", ".bmp", ".dib", ".gif"}
    | {".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm"}
    | {".heic", ".heif", ".jxl", ".jp2"}  # not read, so that they are listed as set aside and nobody wonders
)
_ARCHIVE_SUFFIXES = frozenset({".zip", ".tar", ".tgz", ".gz", ".xz", ".7z", ".rar", ".bz2"})
_FOREIGN_SUFFIXES = frozenset(
    {
        ".cr2",
        ".cr3",
        ".nef",
        ".dng",
        ".arw",
        ".raf",
        ".orf",
        ".rw2",
        ".pef",
        ".srw",
    }  # cameras' own; some look like TIFF
    | {".svg", ".psd", ".xcf", ".eps", ".exr", ".hdr", ".tga", ".hif", ".j2k", ".jpx", ".dcm", ".pfm"}
)
_PLAIN_SUFFIXES = frozenset(
    {".txt", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".md", ".html", ".htm", ".yml", ".yaml", ".toml", ".py", ".log"}
    | {".pdf", ".mat", ".npy", ".npz", ".h5", ".pkl", ".pt", ".pth", ".safetensors", ".mp4", ".mov", ".avi", ".xlsx"}
)
_FOREIGN_MAGIC = (b"\xff\x0a", b"\0\0\0\x0cJXL ", b"\0\0\0\x0cjP  ", b"8BPS")
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"mif1", b"msf1", b"hevc"})
_ARCHIVE_MAGIC = (b"PK\x03\x04", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b\x08", b"\xfd7zXZ")
_HEAD_BYTES = 32


def kind_of(file: File) -> Kind:
    """Return the kind of a file. Raises DatasetError or OSError when its content is needed but unreadable."""
    suffix = source_paths.suffix(file.name)
    if suffix in IMAGE_SUFFIXES:
        return "image"
    if suffix in _ARCHIVE_SUFFIXES:
        return "archive"
    if suffix in _FOREIGN_SUFFIXES:
        return "foreign"
    return "other" if suffix in _PLAIN_SUFFIXES else _by_content(file.head(_HEAD_BYTES))


def _by_content(head: bytes) -> Kind:
    if head[4:12] in {b"ftypavif", b"ftypavis"} or any(
        _accepts(name, head) for name in FORMATS if name not in {"AVIF", "DIB"}
    ):
        return "image"
    if head.startswith(_FOREIGN_MAGIC) or (head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS):
        return "foreign"
    return "archive" if head.startswith(_ARCHIVE_MAGIC) else "other"


def _accepts(name: str, head: bytes) -> bool:
    """Return whether Pillow's reader of a format accepts these first bytes."""
    Image.preinit()
    Image.init()
    _, accept = Image.OPEN[name]
    known = accept(head[:16]) if accept and head else False
    is_text = name in {"BMP", "PPM"} and not _has_numbers(name, head)
    return known is True and not is_text


def _has_numbers(name: str, head: bytes) -> bool:
    """Check more bytes of formats that begin with two letters, as a text file may, too."""
    if name == "BMP":
        return int.from_bytes(head[14:18], "little") in {12, 40, 52, 56, 64, 108, 124}
    return head[2:3].isspace() and head[3:4] in b"0123456789#"


def refusal(file: File, kind: Kind) -> str:
    """Return the reason why an archive, or a picture in an unsupported format, is set aside."""
    if kind == "archive":
        return "an archive; unpack it first"
    suffix = source_paths.suffix(file.name)
    named = f" ({suffix})" if suffix else ""
    return f"a picture in an unsupported format{named}; convert it to PNG or JPEG"
