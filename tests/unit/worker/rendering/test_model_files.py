from pathlib import Path

import pytest

from tests.tiny import CLASSES, save_checkpoint
from worker.contracts.model_files import ModelFile
from worker.errors import ModelUnavailableError
from worker.rendering.file_checksum import file_sha256
from worker.rendering.model_files import files_beside, pack_for_browsers


def test_files_are_found_by_the_name_of_the_checkpoint(tmp_path: Path) -> None:
    names = ["a.md", "a.png", "a-plots.png", "a.sliders.json", "a.jsonl", "b.md", "b-strip.png"]
    for name in names:
        (tmp_path / name).write_text(name)
    (tmp_path / "a-strip.png").mkdir()
    found = files_beside(tmp_path / "a.safetensors")
    assert found == {
        ModelFile.CARD: tmp_path / "a.md",
        ModelFile.GRID: tmp_path / "a.png",
        ModelFile.PLOTS: tmp_path / "a-plots.png",
        ModelFile.SLIDERS: tmp_path / "a.sliders.json",
    }


def test_the_program_names_the_checkpoint_and_comes_last(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, "tiny", CLASSES)
    path = tmp_path / "tiny.safetensors"
    packed = pack_for_browsers(path, file_sha256(path))
    assert list(packed) == [ModelFile.WEIGHTS, ModelFile.ENGINE]
    assert f'"model":"{file_sha256(path)}"'.encode() in packed[ModelFile.ENGINE]


def test_a_checkpoint_that_has_changed_is_not_packed(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, "tiny")
    with pytest.raises(ModelUnavailableError, match="the checkpoint of tiny has changed"):
        pack_for_browsers(tmp_path / "tiny.safetensors", "0" * 64)


def test_a_model_that_takes_too_long_has_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(tmp_path, "tiny")
    path = tmp_path / "tiny.safetensors"
    assert pack_for_browsers(path, file_sha256(path))
    monkeypatch.setattr("worker.rendering.model_files._MOST_MULTIPLY_ADDS", 1000)
    assert not pack_for_browsers(path, file_sha256(path))
