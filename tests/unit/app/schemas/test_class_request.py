from contextlib import suppress
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from app.schemas.class_request import ClassRequest, parse_classes

NAMES = st.text(min_size=1, max_size=12).filter(lambda name: name.isascii() or name.isprintable())


@pytest.mark.parametrize(
    ("value", "names", "counts"),
    [
        ("modern:100,early-20th:50", ("modern", "early-20th"), (100, 50)),
        ("modern", ("modern",), None),
        ("b,a", ("b", "a"), None),
        ("a%2Cb:1,c%3Ad:2,100%25:3", ("a,b", "c:d", "100%"), (1, 2, 3)),
        ("gr%C3%BCn:007", ("grün",), (7,)),
        ("grün:7", ("grün",), (7,)),
        ({"a,b:c%": 5}, ("a,b:c%",), (5,)),
        (["a:1", "b"], ("a:1", "b"), None),
    ],
)
def test_classes_are_read(value: object, names: tuple[str, ...], counts: tuple[int, ...] | None) -> None:
    found = parse_classes(value)
    assert (found.names, found.counts) == (names, counts)
    assert found.total == (sum(counts) if counts else None)


@given(st.dictionaries(NAMES, st.integers(1, 10**18), min_size=1, max_size=20))
def test_every_name_can_be_written(counts: dict[str, int]) -> None:
    text = ",".join(f"{quote(name, safe='')}:{count}" for name, count in counts.items())
    whole = ClassRequest(names=tuple(counts), counts=tuple(counts.values()))
    assert parse_classes(text) == parse_classes(counts) == whole


@given(st.text(max_size=30))
def test_every_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    with suppress(PydanticCustomError):
        assert parse_classes(text).names


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("a:" + "9" * 32, "the count of 'a' is too large, got '999"),
        ({"a": 10**25}, "the count of 'a' is too large, got '1000"),
        ({"a": "2"}, "a whole number of at least 1, got '\"2\"'"),
        ({"a": True}, "a whole number of at least 1, got 'true'"),
        ({"a": None}, "a whole number of at least 1, got 'null'"),
        ("a:\u0663", "a whole number of at least 1, got '\u0663'"),
    ],
)
def test_a_wrong_count_is_quoted_as_it_was_sent(value: object, sentence: str) -> None:
    with pytest.raises(PydanticCustomError) as refused:
        parse_classes(value)
    assert sentence in refused.value.message()


def test_a_sentence_quotes_the_beginning_of_a_long_value() -> None:
    with pytest.raises(PydanticCustomError) as refused:
        parse_classes("a:{" + "x" * 50_000)
    assert "got '{xxx" in refused.value.message()
    assert len(refused.value.message()) < 200
