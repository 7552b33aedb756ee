import io
import math
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.unit.training.record.conftest import MakeLine
from training.record import EpochLine, plot


def drawn(lines: list[EpochLine], floor: dict[str, float] | None = None) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(plot.draw(lines, "pets-32", floor or {}))).convert("RGB"))


def count(picture: NDArray[np.uint8], colour: str) -> int:
    return int((picture == [int(colour[k : k + 2], 16) for k in (1, 3, 5)]).all(axis=2).sum())


RED, GREY = "#b91c1c", "#6b7280"


def test_metrics_get_panels_of_their_own(make_line: MakeLine) -> None:
    few = drawn([make_line(seen) for seen in (100, 200)])
    more = drawn(
        [make_line(seen, metrics={"fd_efflite0": 3e4 / seen, "coverage_efflite0": 0.5}) for seen in (100, 200)]
    )
    assert few.shape[1] == more.shape[1]
    assert len(more) - len(few) == pytest.approx(250, abs=2)  # a row of panels, 2.5 inches


def test_an_event_is_marked_in_every_panel_and_told_below(make_line: MakeLine) -> None:
    lines = [make_line(seen) for seen in (100, 200, 300)]
    assert count(drawn(lines), RED) == 0
    lines[1] = make_line(200, events=("went back to 100 images: $coverage_{fell}",))
    marked = drawn(lines)
    assert count(marked, RED) > 100
    assert count(marked[-40:], RED) > 20
    halves = np.array_split(marked[:-40], 2, axis=1)
    assert all(count(half, RED) > 20 for half in halves)


def test_a_floor_is_drawn_beside_its_metric(make_line: MakeLine) -> None:
    lines = [make_line(seen, metrics={"fd_efflite0": 30.0 + seen}) for seen in (100, 200)]
    assert count(drawn(lines, {"fd_efflite0": 12.0}), GREY) > count(drawn(lines), GREY)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e30, 0.0, -5.0])
def test_a_run_that_went_wrong_can_be_drawn(make_line: MakeLine, value: float) -> None:
    lines = [make_line(100), make_line(200, loss_g=value, metrics={"fd_efflite0": value}), make_line(300)]
    assert drawn(lines).shape[1] == 1100


def test_a_time_that_a_guard_took_back_is_a_curve_of_its_own(make_line: MakeLine) -> None:
    tried = [make_line(seen, loss_d=loss) for seen, loss in ((100, 0.0), (1000, 0.0), (200, 9.0), (900, 9.0))]

    def orange_between_low_and_high(lines: list[EpochLine]) -> int:
        middle = drawn(lines)[100:235, 30:550].astype(int)
        return int((middle[:, :, 0] - middle[:, :, 2] > 100).sum())

    assert orange_between_low_and_high(tried) == 0
    assert orange_between_low_and_high(sorted(tried, key=lambda line: line.images_seen)) > 50


def test_one_epoch_can_be_drawn(make_line: MakeLine) -> None:
    assert drawn([make_line(100)]).shape[1] == 1100


def test_drawing_leaves_the_global_state_of_matplotlib_alone() -> None:
    code = (
        "import sys; from training.record import plot; plot.draw([], '', {}); print('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "False\n"
