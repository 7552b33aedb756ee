from pathlib import Path

import pytest

from models import checkpoint, registry


@pytest.mark.parametrize("path", registry.zoo().values(), ids=lambda path: path.stem)
def test_a_shipped_checkpoint_loads_and_is_small_and_documented(path: Path) -> None:
    header, _ = checkpoint.load_generator(path)
    assert header.name == path.stem
    assert path.stat().st_size <= 10_000_000
    assert header.training.images_seen >= 400_000
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    for fact in (header.data.name, header.data.licence, header.training.device, f"{header.training.images_seen:,}"):
        assert fact in card
    assert path.with_suffix(".png").exists()


def test_quality_gates_are_no_checkpoints(tmp_path: Path) -> None:
    for name in ("b.safetensors", "a.safetensors", "a.gate.safetensors", "a.md"):
        (tmp_path / name).touch()
    assert registry.checkpoints_in(tmp_path) == [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]


def test_faces_and_emoji_are_shipped() -> None:
    assert {"faces-64", "emoji-64"} <= set(registry.zoo())
