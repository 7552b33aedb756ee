from typing import Any

import pytest

from app.client.options import Classes, classes_text


@pytest.mark.parametrize(
    ("classes", "text"),
    [
        ({"modern": 100, "early-20th": 50}, "modern:100,early-20th:50"),
        ({"a,b:c%": 1}, "a%2Cb%3Ac%25:1"),
        (["modern", "zig/zag"], "modern,zig%2Fzag"),
        (("ä b",), "%C3%A4%20b"),
        ("modern:100", "modern:100"),
        (None, None),
    ],
)
def test_classes_are_written_as_the_service_reads_them(classes: Classes | None, text: str | None) -> None:
    assert classes_text(classes) == text


@pytest.mark.parametrize("classes", [{7: 100}, [7], {None: 1}])
def test_a_name_that_is_no_string_is_named(classes: Any) -> None:
    with pytest.raises(TypeError, match=r"classes: a name is a string, got (7|None)"):
        classes_text(classes)
