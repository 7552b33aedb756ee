import io
import zlib
from typing import get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from torch import Tensor

from worker.contracts.formats import Format
from worker.rendering.encoding import encode


def noise(n: int, height: int, width: int) -> Tensor:
    return torch.randint(0, 256, (n, 3, height, width), dtype=torch.uint8)


def decoded(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def pixels_of(image: Tensor) -> list[int]:
    return list(image.permute(1, 2, 0).flatten().tolist())


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_a_picture_survives_encoding_and_always_gives_the_same_bytes(kind: Format) -> None:
    images = noise(3, 9, 7)
    files = encode(images, kind)
    for image, data in zip(images, files, strict=True):
        picture = decoded(data)
        assert (picture.format, picture.size, picture.mode) == (kind.upper(), (7, 9), "RGB")
        assert list(picture.tobytes()) == pixels_of(image)
        assert encode(image.unsqueeze(0), kind) == [data]
    assert encode(images, kind) == files


@pytest.mark.parametrize("kind", [kind for kind in get_args(Format) if kind != "npz"])
def test_every_format_has_an_encoder(kind: Format) -> None:
    (data,) = encode(noise(1, 9, 7), kind)
    assert decoded(data).format == kind.upper()


@given(st.integers(1, 3), st.integers(1, 40), st.integers(1, 40))
def test_a_png_of_any_size_is_read_back(n: int, height: int, width: int) -> None:
    images = noise(n, height, width)
    assert [list(decoded(data).tobytes()) for data in encode(images, "png")] == [pixels_of(image) for image in images]


def test_the_checksums_of_a_png_are_right() -> None:
    (data,) = encode(noise(1, 8, 8), "png")
    place, kinds = 8, []
    while place < len(data):
        length = int.from_bytes(data[place : place + 4])
        chunk = data[place + 4 : place + 8 + length]
        assert zlib.crc32(chunk) == int.from_bytes(data[place + 8 + length : place + 12 + length])
        kinds.append(chunk[:4])
        place += 12 + length
    assert kinds == [b"IHDR", b"IDAT", b"IEND"]
    assert isinstance(decoded(data), PngImagePlugin.PngImageFile)


def test_a_jpeg_is_close_to_its_picture() -> None:
    ramp = torch.linspace(0, 255, 64).to(torch.uint8)
    image = torch.stack([ramp.expand(64, 64), ramp.expand(64, 64).T, 255 - ramp.expand(64, 64)])
    picture = decoded(encode(image.unsqueeze(0), "jpeg")[0])
    assert picture.format == "JPEG"
    found = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).view(64, 64, 3).permute(2, 0, 1)
    assert (found.int() - image.int()).abs().max() <= 8  # quality 95, all colours at full resolution


def test_bare_pixels_are_rows_of_red_green_and_blue() -> None:
    (image,) = images = noise(1, 9, 7)
    assert list(encode(images, "npz")[0]) == pixels_of(image)
