import re
from pathlib import Path

import pytest
import torch

from models import latents
from models.sliders import Slider, Sliders
from worker.contracts.around import Around
from worker.contracts.points import Atom, parse_point
from worker.contracts.walk import Walk
from worker.errors import TaskRefusedError
from worker.rendering.point_latents import latents_along, latents_around, latents_of

UP = Slider(name="up", kind="attribute", r2=1, r2_class=0, vector=(0.5, -0.5, 0.5, -0.5), low=-3, high=3)
SLIDERS = Sliders(model="0" * 64, sliders=(UP,))
PAGE = Path(__file__).parents[4] / "docs" / "points.md"
VECTORS = re.findall(r"^\| `(at=[^`]+)` \| ([^|]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_page_has_vectors() -> None:
    assert len(VECTORS) == 4


@pytest.mark.parametrize(("query", "values"), VECTORS)
def test_latents_are_those_of_the_page(query: str, values: str) -> None:
    point = parse_point(**dict(part.split("=") for part in query.split("&")))
    assert latents_of([point], SLIDERS, 4)[0].tolist() == [float(value) for value in values.split(", ")]


def test_an_image_around_a_point_is_the_point_with_one_more_latent() -> None:
    around = Around(at=(Atom(1, 0), Atom(2, 5, -0.5)), spread=0.35, shift={"up": 1.5}, truncation=0.8)
    rows = latents_around(around, SLIDERS, 64 // 16, 9, range(7, 23))
    for row, index in zip(rows, range(7, 23), strict=True):
        assert torch.equal(row, latents_of([around.point(9, index, None)], SLIDERS, 4)[0])


def test_without_a_point_and_with_full_spread_the_latents_are_plain() -> None:
    assert torch.equal(latents_around(Around(), None, 16, 3, range(40)), latents.sample(16, 3, range(40)))


def test_spread_keeps_the_variance() -> None:
    around = Around(at=(Atom(1, 0),), spread=0.6)
    z = latents_around(around, None, 100, 3, range(4000))
    assert float(z.std(0).mean()) == pytest.approx(0.6, abs=0.01)
    assert float((z.mean(0) - 0.8 * latents.sample(100, 1, [0])[0]).abs().max()) < 0.05


def test_an_unknown_slider_is_refused() -> None:
    with pytest.raises(TaskRefusedError, match="smile"):
        latents_of([parse_point("1:0", "smile:1")], SLIDERS, 4)


def test_frames_of_a_walk_have_the_latents_of_their_points() -> None:
    points = ("1:0*0.6,2:5*0.8", "7:3"), ("2:5*-0.5,7:3*0.9", "1:0"), ("2:5", "2:5")
    path = [parse_point(at, shift) for pair, shift in zip(points, ("", "up:1.5", "up:-1"), strict=True) for at in pair]
    walk = Walk(points=tuple(path), frames=61)
    rows = latents_along(walk, SLIDERS, 4, range(64))
    assert torch.equal(rows, latents_of([walk.point(0, index) for index in range(64)], SLIDERS, 4))
    assert torch.equal(rows[60], rows[63])
