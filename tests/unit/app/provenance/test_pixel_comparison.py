import io
from typing import Any

import pytest
import torch
from PIL import Image

from app.provenance.pixel_comparison import compare, is_close, is_equal
from models.registry import zoo
from worker.rendering.engine import RenderEngine

IMAGES = 64


@pytest.fixture(scope="module", params=["faces-64", "emoji-64"])
def images(request: pytest.FixtureRequest) -> list[Image.Image]:
    """Images of a shipped model."""
    engine = RenderEngine([zoo()[request.param]], torch.device("cpu"))
    model = engine.model(engine.entries[0])
    labels = [index % len(engine.entries[0].classes) for index in range(IMAGES)]
    z = model.latents(3, range(IMAGES))
    step = model.batch_size
    drawn = [model.render(z[i : i + step], labels[i : i + step], list(range(step))) for i in range(0, IMAGES, step)]
    return [Image.fromarray(image) for image in torch.cat(drawn).permute(0, 2, 3, 1).numpy()]


def written(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def read(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def share_of_close(pairs: list[tuple[Image.Image, Image.Image]]) -> float:
    return sum(is_close(compare(image, written(original))) for image, original in pairs) / len(pairs)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_the_same_pixels_are_equal(images: list[Image.Image], kind: str) -> None:
    difference = compare(images[0], written(images[0], kind, lossless=True))
    assert is_equal(difference)
    assert is_close(difference)


def test_one_changed_value_is_not_equal(images: list[Image.Image]) -> None:
    changed = images[0].copy()
    red, green, blue = (int(value) for value in changed.tobytes()[:3])
    changed.putpixel((0, 0), (red ^ 1, green, blue))
    difference = compare(changed, written(images[0]))
    assert difference.maximum == 1
    assert not is_equal(difference)


@pytest.mark.parametrize("quality", [50, 75, 95])
def test_re_encoded_copies_are_close(images: list[Image.Image], quality: int) -> None:
    # The share over more images is in docs/marks.md. Some emoji at quality 50 are at the limit.
    copies = [(read(written(image, "JPEG", quality=quality)), image) for image in images]
    assert share_of_close(copies) >= (0.95 if quality == 50 else 1)


@pytest.mark.parametrize("side", [32, 96, 128, 300])
def test_resized_copies_are_close_and_never_equal(images: list[Image.Image], side: int) -> None:
    copies = [(image.resize((side, side), Image.Resampling.BICUBIC), image) for image in images]
    assert share_of_close(copies) == 1
    assert not any(is_equal(compare(copy, written(original))) for copy, original in copies)


def test_other_images_of_the_model_are_not_close(images: list[Image.Image]) -> None:
    others = [*images[1:], images[0]]
    assert share_of_close(list(zip(images, others, strict=True))) == 0
    assert share_of_close([(image.transpose(Image.Transpose.ROTATE_90), image) for image in images]) <= 0.05


def test_a_replaced_part_is_not_close(images: list[Image.Image]) -> None:
    pairs = []
    for image, other in zip(images, [*images[9:], *images[:9]], strict=True):
        changed = image.copy()
        changed.paste(other.crop((16, 16, 48, 48)), (16, 16))
        pairs.append((changed, image))
    assert share_of_close(pairs) <= 0.05
