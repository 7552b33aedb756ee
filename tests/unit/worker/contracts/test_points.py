import pytest

from worker.contracts.points import Atom, Point, PointError, class_weights, format_number, parse_point


@pytest.mark.parametrize(
    ("parts", "query"),
    [
        ({"at": "1:0"}, "at=1:0"),
        ({"at": "1:0*1.0,2:5*-0.50"}, "at=1:0,2:5*-0.5"),
        ({"at": "1:0*1e-3"}, "at=1:0*0.001"),
        ({"at": "1:0*0.12345678"}, "at=1:0*0.123457"),
        ({"at": "1:0", "shift": "a:0,b:1.20", "sliders": "0" * 64}, "at=1:0&shift=b:1.2&sliders=00000000"),
        ({"at": "1:0", "shift": "a:-0.0000001", "sliders": "0" * 8}, "at=1:0"),
        ({"at": "1:0", "truncation": "1"}, "at=1:0"),
        ({"at": "1:0", "truncation": "0"}, "at=1:0&truncation=0"),
        ({"at": "1:0", "classes": "x:0,y%2Cz%3A%25:2"}, "at=1:0&classes=y%252Cz%253A%2525:2"),
        (
            {"at": "1:0", "shift": "light from left:1", "sliders": "0" * 8},
            "at=1:0&shift=light%20from%20left:1&sliders=00000000",
        ),
    ],
)
def test_equal_points_have_one_text(parts: dict[str, str], query: str) -> None:
    point = parse_point(**parts)
    assert point.query == query
    assert parse_point(**point.parameters).query == query


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"at": ""}, "at: must be like"),
        ({"at": "1:0,"}, "at: must be like"),
        ({"at": "1:-1"}, "got '1:-1'"),
        ({"at": "9007199254740992:0"}, "at.0.seed"),
        ({"at": "1:0*nan"}, "must be a number"),
        ({"at": "1:0*101"}, "100"),
        ({"at": "1:0", "shift": "up"}, "shift: must be like NAME:1.2"),
        ({"at": "1:0", "shift": "up:1,up:2"}, "named twice"),
        ({"at": "1:0", "classes": "a:-1"}, "classes.a"),
        ({"at": "1:0", "classes": "a:0"}, "all 0"),
        ({"at": "1:0", "truncation": "2.1"}, "truncation"),
        ({"at": "1:0", "sliders": "xyz"}, "sliders"),
    ],
)
def test_errors_name_the_part_and_the_value(parts: dict[str, str], words: str) -> None:
    with pytest.raises(PointError) as error:
        parse_point(**parts)
    assert words in str(error.value)


def test_json_takes_lists_with_and_without_weights() -> None:
    point = Point.model_validate_json('{"at": [[1, 0], [2, 3, 0.5]]}')
    assert point.at == (Atom(1, 0, 1), Atom(2, 3, 0.5))
    assert Point.model_validate_json(point.model_dump_json()) == point


def test_only_one_latent_without_changes_is_an_address() -> None:
    assert parse_point("1:0").is_address
    assert parse_point("1:0", classes="a:0.5").is_address
    assert parse_point("1:0", shift="a:0").is_address
    for changed in (
        parse_point("1:0*0.9"),
        parse_point("1:0,1:1*0"),
        parse_point("1:0", truncation="0.9"),
        parse_point("1:0", shift="a:1"),
        parse_point("1:0", classes="a:1,b:1"),
    ):
        assert not changed.is_address


def test_the_first_index_selects_the_class() -> None:
    assert class_weights(parse_point("1:4,2:0"), ("a", "b", "c")) == {1: 1}
    assert class_weights(parse_point("1:4", classes="c:1,a:3"), ("a", "b", "c")) == {2: 0.25, 0: 0.75}
    assert class_weights(parse_point("1:4"), ()) == {}


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (-0.0, "0"), (100, "100"), (0.1 + 0.2, "0.3"), (-1.5, "-1.5")])
def test_numbers_have_their_shortest_decimal(value: float, text: str) -> None:
    assert format_number(value) == text
