import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from tests.unit.training.audit.conftest import Measure
from training.audit import page
from training.audit.explanations import FIGURES

VOID = {"meta", "img", "br"}
MOST_BYTES = 1_000_000


class Reader(HTMLParser):
    """Checks that elements are closed in order, and collects attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def test_the_page_is_whole_valid_and_refers_to_nothing_outside(archive: Path, measure: Measure) -> None:
    html = page.render(measure(archive))
    reader = read(html)
    assert html.startswith("<!doctype html>")
    assert len(html.encode()) < MOST_BYTES
    assert not {tag for tag, _ in reader.tags} & {"script", "link", "iframe", "object", "form", "a"}
    assert all(str(attrs["src"]).startswith("data:image/png;base64,") for _, attrs in reader.tags if "src" in attrs)
    assert not re.search(r"https?:|url\(|@import", html)
    assert "$" not in html
    assert all("alt" in attrs for tag, attrs in reader.tags if tag == "img")


def test_the_page_shows_all_figures_and_their_meaning(archive: Path, measure: Measure) -> None:
    made = measure(archive)
    reader = read(page.render(made))
    for explanation in FIGURES.values():
        assert explanation.sentence in reader.text
    cells = " ".join(reader.text.split())
    assert f"{100 * made.report.figures['coverage_tiles']:.1f}" in cells
    assert all(each.name in cells for each in made.report.classes)
    assert all(note in reader.text for note in made.report.notes)


def test_pictures_are_those_of_the_pairs(archive: Path, measure: Measure) -> None:
    made = measure(archive)
    shown = [attrs["src"] or "" for tag, attrs in read(page.render(made)).tags if tag == "img"]
    expected = [each for pair in (*made.nearest, *made.random) for each in (pair.image, pair.real)]
    assert len(shown) == len(expected) == 32
    for url, tensor in zip(shown, expected, strict=True):
        pixels = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
        assert pixels.tobytes() == tensor.permute(1, 2, 0).contiguous().numpy().tobytes()


@pytest.mark.parametrize("name", ["<b>&\"'.zip", "a$b.zip"])
def test_names_are_text_and_never_markup(archive: Path, measure: Measure, name: str) -> None:
    made = measure(archive.rename(archive.with_name(name)))
    assert name in read(page.render(made)).text


def test_a_class_without_images_has_a_row(class_folders: Path, measure: Measure) -> None:
    for path in (class_folders / "dog").iterdir():
        path.unlink()
    assert "too few" in read(page.render(measure(class_folders))).text
