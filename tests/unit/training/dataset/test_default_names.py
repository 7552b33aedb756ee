import re
from pathlib import Path

import pytest

from models.checkpoint import MODEL_NAME
from training.dataset import default_names


def test_a_data_set_is_named_after_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("photos", "celeba.aligned", "\u5199\u771f", "v1.0"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        assert default_names.of_source(Path()) == default_names.of_source(Path("..") / name) == name
        assert default_names.of_source(tmp_path / name) == name


def test_a_data_set_is_named_after_its_zip() -> None:
    assert default_names.of_source(Path("a/celeba.aligned.zip")) == "celeba.aligned"
    assert default_names.of_source(Path("FACES.ZIP")) == "FACES"


def test_models_of_other_data_have_other_names() -> None:
    data = [
        "\u5199\u771f",
        "\u98a8\u666f",
        "a" * 80,
        "a" * 81,
        "photos",
        "photos \u732b",
        "...",
        "celeba.aligned",
        "celeba",
    ]
    made = [default_names.of_model(name, 64) for name in data]
    assert len(set(made)) == len(made)
    assert all(re.fullmatch(MODEL_NAME, name) and name.endswith("-64") for name in made)


def test_plain_names_of_models_are_what_they_were() -> None:
    assert default_names.of_model("faces", 64) == "faces-64"
    assert default_names.of_model("Caf\u00e9 Photos!", 128) == "cafe-photos-128"
