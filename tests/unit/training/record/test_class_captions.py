import sys

import pytest

from training.record import class_captions


def test_a_class_is_called_by_its_name() -> None:
    assert class_captions.label(3, "19th-century") == "19th-century"
    assert class_captions.label(3, "Кошка é") == "Кошка é"


def test_a_name_that_the_font_cannot_draw_becomes_a_number() -> None:
    assert class_captions.label(3, "猫") == "class 3"


def test_a_long_name_keeps_its_ends() -> None:
    labels = [class_captions.label(0, f"portraits of members of the house of {kind}") for kind in ("lords", "commons")]
    assert labels[0] != labels[1]
    for label in labels:
        assert label.startswith("portraits")
        assert "..." in label
        assert class_captions.width(label) <= 180


def test_without_matplotlib_english_names_are_still_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    class_captions._font.cache_clear()
    try:
        assert class_captions.label(0, "19th-century") == "19th-century"
        assert class_captions.label(0, "Кошка") == "class 0"
    finally:
        class_captions._font.cache_clear()
