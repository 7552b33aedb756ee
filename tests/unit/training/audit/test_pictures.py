import base64
import io

import numpy as np
import torch
from PIL import Image

from training.audit import pictures


def image(side: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, side, side), dtype=np.uint8))


def opened(url: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))


def test_small_pictures_keep_every_pixel() -> None:
    shown = opened(pictures.data_url(image(64)))
    assert np.array_equal(np.array(shown), image(64).permute(1, 2, 0).numpy())


def test_large_pictures_are_shrunk_so_that_a_page_of_32_stays_below_a_megabyte() -> None:
    url = pictures.data_url(image(256))  # noise, which compresses worst
    assert opened(url).size == (128, 128)
    assert url.startswith("data:image/jpeg;base64,")
    assert 32 * len(url) < 1_000_000
