import math

import pytest
from pydantic import ValidationError

from worker.contracts.points import Atom, Point, parse_point
from worker.contracts.walk import Walk

A, B, C = (Point(at=(Atom(seed, 0),)) for seed in (1, 777, 5))


def frames(*points: Point, n: int, loop: bool = False) -> list[str]:
    walk = Walk(points=points, frames=n, loop=loop)
    return [walk.point(0, index).query for index in range(n)]


def test_a_walk_begins_and_ends_at_its_points_on_a_great_circle() -> None:
    half = round(math.sqrt(0.5), 6)
    assert frames(A, B, n=3) == ["at=1:0,0:0*0", f"at=1:0*{half},777:0*{half},0:1*0", "at=777:0,0:2*0"]


def test_each_way_has_the_same_share_of_the_frames() -> None:
    assert [text.partition(",0:")[0] for text in frames(A, B, C, n=5)[::2]] == ["at=1:0", "at=777:0", "at=5:0"]


def test_a_loop_does_not_repeat_its_first_point() -> None:
    found = frames(A, B, n=4, loop=True)
    assert [found[0], found[2]] == ["at=1:0,0:0*0", "at=777:0,0:2*0"]
    assert found[1].partition(",0:")[0] == "at=1:0*0.707107,777:0*0.707107"
    assert found[3].partition(",0:")[0] == "at=777:0*0.707107,1:0*0.707107"


@pytest.mark.parametrize("loop", [False, True])
def test_one_frame_is_the_first_point(loop: bool) -> None:
    assert frames(A, B, C, n=1, loop=loop) == ["at=1:0,0:0*0"]


def test_shifts_truncations_and_classes_lie_on_straight_lines() -> None:
    first = parse_point("1:0", shift="up:-2", classes="dog:3", truncation="0.5")
    second = parse_point("1:0", shift="up:2,left:1", classes="cat:1,dog:1")
    middle = Walk(points=(first, second), frames=5).point(0, 1)
    assert middle.query == "at=1:0,0:1*0&shift=up:-1,left:0.25&classes=dog:0.875,cat:0.125&truncation=0.625"


def test_lengths_lie_on_a_straight_line() -> None:
    walk = Walk(points=(parse_point("1:0*2"), parse_point("2:0*4")), frames=11)
    assert math.hypot(*(atom.weight for atom in walk.point(0, 5).at)) == pytest.approx(3, abs=1e-5)


@pytest.mark.parametrize("other", ["1:0*-1", "1:0*-0.5,2:0*0.00001", "1:0", "2:0*0"])
def test_no_weight_leaves_the_range_near_opposite_and_empty_points(other: str) -> None:
    walk = Walk(points=(parse_point("1:0"), parse_point(other)), frames=100)
    assert max(abs(atom.weight) for index in range(100) for atom in walk.point(0, index).at) <= 1


def test_a_middle_with_too_many_latents_is_an_error() -> None:
    first, second = (Point(at=tuple(Atom(seed, index) for index in range(8))) for seed in (1, 2))
    with pytest.raises(ValidationError):
        list(Walk(points=(first, second), frames=2).middles())
