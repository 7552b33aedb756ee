"""`imagemill style` as a person runs it."""

from pathlib import Path

import pytest
from PIL import Image
from safetensors.torch import save_file

from tests.command import ENVIRONMENT, imagemill
from tests.tiny import vgg19_tensors


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    save_file(vgg19_tensors(), tmp_path / "vgg.safetensors")
    monkeypatch.setitem(ENVIRONMENT, "IMAGEMILL_VGG19", str(tmp_path / "vgg.safetensors"))
    monkeypatch.setitem(ENVIRONMENT, "TORCH_HOME", str(tmp_path))
    Image.effect_noise((90, 60), 80).convert("RGB").save(tmp_path / "photo.jpg")
    Image.effect_mandelbrot((80, 80), (-2, -1, 1, 1), 9).convert("RGB").save(tmp_path / "painting.png")
    return tmp_path


def test_a_picture_is_given_the_style_of_another(folder: Path) -> None:
    done = imagemill(
        "style", "--image", "photo.jpg", "--style", "painting.png", "-o", "out.png", "--steps", "2", cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("out.png: 90 x 60 px\n")
    with Image.open(folder / "out.png") as made, Image.open(folder / "photo.jpg") as photo:
        assert (made.format, made.mode, made.size) == ("PNG", "RGB", (90, 60))
        assert made.tobytes() != photo.tobytes()


def test_size_and_format_can_be_chosen(folder: Path) -> None:
    arguments = ("--image", "photo.jpg", "--style", "painting.png", "--size", "64", "--steps", "1", "--keep-colours")
    assert imagemill("style", *arguments, "-o", "out.webp", cwd=folder).returncode == 0
    with Image.open(folder / "out.webp") as made:
        assert (made.format, made.size) == ("WEBP", (64, 43))


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"--image": "missing.jpg"}, 2, "does not exist"),
        ({"--image": "vgg.safetensors"}, 1, "vgg.safetensors: not an image in one of the formats PNG, JPEG, WEBP"),
        ({"-o": "out.gif"}, 2, "must end in .png"),
        ({"-o": "missing/out.png"}, 2, "the folder missing does not exist"),
        ({"--size": "2000"}, 2, "less than or equal to 1024"),
    ],
)
def test_a_mistake_is_explained_in_a_sentence(folder: Path, changed: dict[str, str], code: int, words: str) -> None:
    arguments = {"--image": "photo.jpg", "--style": "painting.png", "-o": "out.png", "--steps": "1", **changed}
    done = imagemill("style", *(part for pair in arguments.items() for part in pair), cwd=folder)
    said = " ".join((done.stdout + done.stderr).replace("│", " ").split())
    assert (done.returncode, words in said) == (code, True), said
    assert "Traceback" not in said
    assert not (folder / "out.png").exists()


def test_a_picture_that_exists_is_replaced_by_force_only(folder: Path) -> None:
    arguments = ("style", "--image", "photo.jpg", "--style", "painting.png", "--steps", "1")
    (folder / "out.png").write_bytes(b"mine")
    refused = imagemill(*arguments, cwd=folder)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "Error: out.png exists already; give --force to replace it, or name another file\n"
    assert (folder / "out.png").read_bytes() == b"mine"
    done = imagemill(*arguments, "--force", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "out.png: 90 x 60 px\n")


def test_without_weights_it_says_where_to_get_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ENVIRONMENT, "IMAGEMILL_VGG19")
    done = imagemill("style", "--image", "photo.jpg", "--style", "painting.png", cwd=folder)
    assert done.returncode == 1
    assert "no weights of VGG19: set IMAGEMILL_VGG19" in done.stderr
