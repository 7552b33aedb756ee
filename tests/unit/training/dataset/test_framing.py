import io

import numpy as np
import pytest
from PIL import ExifTags, Image

from training.dataset.framing import Framing
from training.dataset.square_image import decode
from training.errors import DatasetError

TOP, BOTTOM = (255, 0, 0), (0, 0, 255)


def portrait(kind: str = "PNG", orientation: int = 1, size: tuple[int, int] = (40, 80)) -> bytes:
    """Red above, blue below, when it is turned upright."""
    upright = Image.new("RGB", size, BOTTOM)
    upright.paste(TOP, (0, 0, size[0], size[1] // 2))
    stored = upright.transpose(Image.Transpose.ROTATE_90) if orientation == 6 else upright
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    file = io.BytesIO()
    stored.save(file, kind, exif=exif, **({"quality": 100, "subsampling": 0} if kind == "JPEG" else {}))
    return file.getvalue()


def column(data: bytes, framing: Framing) -> list[tuple[int, ...]]:
    """Colours from the top to the bottom of the middle."""
    pixels = decode(data, 32, framing).pixels
    return [tuple(int(v) for v in pixels[:, y, 16]) for y in (1, 30)]


def near(found: list[tuple[int, ...]], expected: list[tuple[int, ...]]) -> bool:
    return bool(np.abs(np.subtract(found, expected)).max() <= 4)  # JPEG


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize(
    ("framing", "expected"),
    [(Framing(), [TOP, BOTTOM]), (Framing("top"), [TOP, TOP]), (Framing("pad"), [TOP, BOTTOM])],
    ids=["crop", "top", "pad"],
)
def test_the_fit_decides_what_is_kept_of_an_upright_image(
    kind: str, orientation: int, framing: Framing, expected: list[tuple[int, ...]]
) -> None:
    assert near(column(portrait(kind, orientation), framing), expected)


def test_the_rest_of_a_padded_image_has_the_background() -> None:
    pixels = decode(portrait(), 32, Framing("pad", "#102030")).pixels
    assert pixels[:, 16, 2].tolist() == [0x10, 0x20, 0x30]
    assert pixels[:, 16, 29].tolist() == [0x10, 0x20, 0x30]


def test_transparency_is_laid_on_the_background() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (40, 40), (255, 0, 0, 0)).save(file, "PNG")
    assert decode(file.getvalue(), 32, Framing(background="black")).pixels.max() == 0


def test_the_share_that_is_cut_away_is_told() -> None:
    assert decode(portrait(), 32).cut == 0.5
    assert decode(portrait(), 32, Framing("pad")).cut == 0


def test_a_large_jpeg_is_framed_as_if_it_were_decoded_at_full_size() -> None:
    data = portrait("JPEG", size=(1600, 3200))
    assert decode(data, 32, Framing("top")).side == 1600
    assert near(column(data, Framing("top")), [TOP, TOP])


def test_an_unknown_colour_is_refused() -> None:
    with pytest.raises(DatasetError, match="a background is a colour like white or #8090a0, got 'whitish'"):
        Framing(background="whitish")


def test_a_framing_is_named_for_the_description() -> None:
    assert Framing().name == "centre square"
    assert Framing("top", is_boxed=True).name == "top square of boxes"
    assert Framing("pad", "black").name == "padded square on black"
