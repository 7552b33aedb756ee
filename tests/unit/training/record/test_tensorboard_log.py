import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.conftest import DiskOf
from tests.unit.training.record.conftest import MakeLine
from training.record.tensorboard_log import FOLDER, TensorBoardLog

GRID = Image.new("RGB", (40, 20), "green")


def shown(folder: Path) -> Any:
    accumulator = EventAccumulator(str(folder / FOLDER))
    accumulator.Reload()
    return accumulator


def steps(folder: Path) -> list[int]:
    return [event.step for event in shown(folder).Scalars("loss/generator")]


def test_a_line_and_its_grid_are_shown(tmp_path: Path, make_line: MakeLine) -> None:
    TensorBoardLog(tmp_path, 0).add(make_line(100, metrics={"fd_efflite0": 31.5}, generator_lr=0.25), GRID)
    found = shown(tmp_path)
    values = {tag: found.Scalars(tag)[0].value for tag in found.Tags()["scalars"]}
    assert values["loss/generator"] == 2.5
    assert values["metrics/fd_efflite0"] == 31.5
    assert values["learning_rate/generator"] == 0.25
    assert "learning_rate/discriminator" not in values
    (image,) = found.Images("samples")
    assert (image.step, image.width, image.height) == (100, 40, 20)
    assert Image.open(io.BytesIO(image.encoded_image_string)).size == (40, 20)


def test_a_resume_hides_what_it_will_write_again(tmp_path: Path, make_line: MakeLine) -> None:
    first = TensorBoardLog(tmp_path, 0)
    for seen in (100, 200, 300):
        first.add(make_line(seen), None)
    second = TensorBoardLog(tmp_path, 200)
    assert steps(tmp_path) == [100, 200]
    second.add(make_line(300), None)
    assert steps(tmp_path) == [100, 200, 300]


def test_a_full_disk_costs_only_the_epochs_it_lasts(tmp_path: Path, make_line: MakeLine, disk_of: DiskOf) -> None:
    board = TensorBoardLog(tmp_path, 0)
    board.add(make_line(100), GRID)
    (path,) = (tmp_path / FOLDER).iterdir()
    with disk_of(path.stat().st_size + 50), pytest.raises(OSError, match="File too large"):
        board.add(make_line(200), GRID)
    board.add(make_line(300), GRID)
    assert steps(tmp_path) == [100, 300]
