import io
import zipfile

import pytest
from PIL import Image

from benchmarks.service.answer import AnswerError, check


def zipped(count: int, size: int = 64, kind: str = "PNG") -> bytes:
    picture, file = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (size, size)).save(picture, kind)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("README.md", "not an image")
        for index in range(count):
            archive.writestr(f"images/{index}.png", picture.getvalue())
    return file.getvalue()


@pytest.mark.parametrize("n", [1, 3])
def test_an_archive_of_n_images_is_accepted(n: int) -> None:
    check(zipped(n), n)


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (zipped(2), "3 images wanted, got 2"),
        (zipped(4), "3 images wanted, got 4"),
        (zipped(0), "3 images wanted, got 0"),
        (zipped(3, size=32), r"RGB PNGs of 64 px wanted, got .*\(32, 32\)"),
        (zipped(3, kind="BMP"), "RGB PNGs of 64 px wanted, got .*BMP"),
        (zipped(3)[:-40], "no ZIP of 3 images"),
        (b"", "no ZIP of 3 images but 0 bytes"),
    ],
)
def test_anything_else_is_refused(archive: bytes, reason: str) -> None:
    with pytest.raises(AnswerError, match=reason):
        check(archive, 3)


def test_damaged_bytes_are_refused() -> None:
    archive = bytearray(zipped(3))
    archive[archive.index(b"IDAT") + 8] ^= 1
    with pytest.raises(AnswerError, match=r"Bad CRC-32 for file 'images/0\.png'"):
        check(bytes(archive), 3)
