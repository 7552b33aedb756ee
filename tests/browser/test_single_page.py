"""The exported page of a model works from a file, without a network."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from models import checkpoint, latents, pixels
from tests.command import imagemill
from tests.tiny import CLASSES, save_checkpoint

NAME = "tiny"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    save_checkpoint(folder, NAME, CLASSES)
    done = imagemill("export", f"{NAME}.safetensors", "--html", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{NAME}.html: 0.2 MB; open it in a browser\n"
    return folder


@pytest.fixture
def single(browser: Browser) -> Iterator[Page]:
    """A page that no network reaches. The test fails if it logs a message."""
    with browser.new_context(offline=True) as context:
        offline, messages = context.new_page(), list[str]()
        offline.on("console", lambda message: messages.append(message.text))
        offline.on("pageerror", lambda error: messages.append(str(error)))
        yield offline
        assert messages == []


def saved_image(single: Page) -> tuple[str, np.typing.NDArray[Any]]:
    with single.expect_download() as download:
        single.get_by_role("button", name="Save PNG").click()
    image = Image.open(io.BytesIO(Path(download.value.path()).read_bytes()))
    return download.value.suggested_filename, np.asarray(image.convert("RGB"), int)


def rendered(exported: Path, seed: int, index: int) -> np.typing.NDArray[Any]:
    header, generator = checkpoint.load_generator(exported / f"{NAME}.safetensors")
    z = latents.sample(header.latent_dim, seed, [index])
    label = torch.tensor([index % len(CLASSES)])
    return pixels.to_uint8(generator(z, label))[0].permute(1, 2, 0).numpy().astype(int)


def test_the_page_draws_and_saves_the_image_of_its_address(single: Page, exported: Path) -> None:
    single.goto((exported / f"{NAME}.html").as_uri() + "#at=3:5")
    expect(single.get_by_label("seed", exact=True)).to_have_value("3")
    expect(single.get_by_label(CLASSES[5 % 3])).to_have_value("1")
    name, image = saved_image(single)
    assert name == f"{NAME}-generated-3.png"
    assert np.abs(image - rendered(exported, 3, 5)).max() <= 1


def test_sliders_change_the_image_and_the_address(single: Page, exported: Path) -> None:
    single.goto((exported / f"{NAME}.html").as_uri())
    _, first = saved_image(single)
    single.get_by_label("between").fill("1")
    point = single.locator("#point")
    expect(point).to_have_text(f"at=2:0&classes={CLASSES[0]}:1")
    _, last = saved_image(single)
    assert np.abs(last - first).mean() > 5
    single.get_by_label("truncation").fill("0.5")
    single.get_by_label(CLASSES[1]).fill("0.25")
    expect(point).to_have_text(f"at=2:0&classes={CLASSES[0]}:1,{CLASSES[1]}:0.25&truncation=0.5")
    assert single.url.endswith(f"#at=2:0&classes={CLASSES[0]}:1,{CLASSES[1]}:0.25&truncation=0.5")
    for name in CLASSES:
        single.get_by_label(name).fill("0")
    expect(single.get_by_text("Raise one of the classes above 0.")).to_be_visible()


def test_another_image_is_one_click_away(single: Page, exported: Path) -> None:
    single.goto((exported / f"{NAME}.html").as_uri())
    _, first = saved_image(single)
    single.get_by_role("button", name="Another one").click()
    expect(single.get_by_label("seed", exact=True)).not_to_have_value("1")
    _, second = saved_image(single)
    assert np.abs(second - first).mean() > 5


@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_is_wider_than_the_window(single: Page, exported: Path, width: int) -> None:
    single.set_viewport_size({"width": width, "height": 700})
    single.goto((exported / f"{NAME}.html").as_uri())
    expect(single.locator("#point")).not_to_be_empty()
    assert single.evaluate("document.documentElement.scrollWidth") <= width
