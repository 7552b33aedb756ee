import json
import math
from pathlib import Path

import pytest

from models import checkpoint
from models.registry import ZOO
from tests.conftest import DiskOf
from tests.unit.training.record.conftest import MakeLine
from training.errors import RecordError
from training.record import EpochLine, run_log


def test_what_is_logged_is_read_back(tmp_path: Path, make_line: MakeLine) -> None:
    lines = [
        make_line(100),
        make_line(200, metrics={"fd_efflite0": 31.5}, generator_lr=2e-4, events=("went back to 100 images",)),
    ]
    for line in lines:
        run_log.append(tmp_path, line)
    assert run_log.read(tmp_path) == lines


def test_a_run_that_went_wrong_still_writes_json(tmp_path: Path, make_line: MakeLine) -> None:
    run_log.append(tmp_path, make_line(loss_g=math.nan, loss_d=-math.inf))

    def refuse(word: str) -> float:
        raise AssertionError(f"{word} is not JSON")

    json.loads((tmp_path / run_log.LOG).read_text(), parse_constant=refuse)
    (line,) = run_log.read(tmp_path)
    assert math.isnan(line.loss_g)
    assert line.loss_d == -math.inf


def test_a_line_as_runs_before_wrote_it_is_read(tmp_path: Path) -> None:
    line = {"epoch": 1, "loss_g": 4.5, "loss_d": 0.75, "real_score": 0.8, "fake_score": 0.2}
    line |= {"images_seen": 7808, "images_per_s": 288.9, "seconds": 27.0}
    (tmp_path / run_log.LOG).write_text(json.dumps(line) + "\n")
    (read,) = run_log.read(tmp_path)
    assert (read.images_seen, read.metrics, read.events) == (7808, {}, ())


@pytest.mark.parametrize("name", [path.stem for path in ZOO.glob("*.jsonl")])
def test_the_log_of_a_shipped_model_is_that_of_its_training(tmp_path: Path, name: str) -> None:
    (tmp_path / run_log.LOG).write_bytes((ZOO / f"{name}.jsonl").read_bytes())
    header = checkpoint.read_header(ZOO / f"{name}.safetensors")
    assert run_log.read(tmp_path)[-1].images_seen >= header.training.images_seen  # the best may come before the end


def test_a_line_says_its_figures_to_a_person(make_line: MakeLine) -> None:
    text = str(make_line(metrics={"fd_efflite0": 31.5}))
    for figure in ("epoch    1", "loss_g 2.5000", "loss_d 0.7500", "real_score 0.8000", "fd_efflite0 31.5"):
        assert figure in text


def test_a_resume_drops_the_lines_that_it_will_write_again(tmp_path: Path, make_line: MakeLine) -> None:
    for seen in (100, 200, 300):
        run_log.append(tmp_path, make_line(seen))
    run_log.rewind(tmp_path, 200)
    assert [line.images_seen for line in run_log.read(tmp_path)] == [100, 200]


def test_a_resume_keeps_the_time_that_a_guard_took_back_before(tmp_path: Path, make_line: MakeLine) -> None:
    for seen in (100, 200, 300, 400, 250, 350):
        run_log.append(tmp_path, make_line(seen))
    run_log.rewind(tmp_path, 250)
    assert [line.images_seen for line in run_log.read(tmp_path)] == [100, 200, 300, 400, 250]


@pytest.mark.parametrize("rest", [b'{"epoch": 3, "loss_g"', b"\0" * 40, b"{"], ids=["half a line", "zeros", "a letter"])
def test_a_line_that_a_crash_cut_off_is_left_out_and_then_dropped(
    tmp_path: Path, make_line: MakeLine, rest: bytes
) -> None:
    run_log.append(tmp_path, make_line(100))
    whole = (tmp_path / run_log.LOG).read_bytes()
    (tmp_path / run_log.LOG).write_bytes(whole + rest)
    assert run_log.read(tmp_path) == [make_line(100)]
    run_log.rewind(tmp_path, 100)
    assert (tmp_path / run_log.LOG).read_bytes() == whole


def test_a_line_without_its_end_is_cut_off_too(tmp_path: Path, make_line: MakeLine) -> None:
    for seen in (100, 200):
        run_log.append(tmp_path, make_line(seen))
    path = tmp_path / run_log.LOG
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))
    run_log.rewind(tmp_path, 200)
    run_log.append(tmp_path, make_line(200))
    assert [line.images_seen for line in run_log.read(tmp_path)] == [100, 200]


def test_nothing_to_drop_leaves_the_file_alone(tmp_path: Path, make_line: MakeLine) -> None:
    run_log.append(tmp_path, make_line(100))
    before = (tmp_path / run_log.LOG).stat()
    run_log.rewind(tmp_path, 100)
    assert (tmp_path / run_log.LOG).stat() == before


def test_a_new_run_has_nothing_to_rewind(tmp_path: Path) -> None:
    run_log.rewind(tmp_path, 0)
    assert run_log.read(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_rewind_that_a_full_disk_stops_leaves_the_log_as_it_was(
    tmp_path: Path, make_line: MakeLine, disk_of: DiskOf
) -> None:
    for seen in (100, 200, 300):
        run_log.append(tmp_path, make_line(seen))
    with disk_of(50), pytest.raises(OSError, match="File too large"):
        run_log.rewind(tmp_path, 200)
    assert len(run_log.read(tmp_path)) == 3


def test_a_line_of_another_kind_is_refused_and_kept(tmp_path: Path, make_line: MakeLine) -> None:
    run_log.append(tmp_path, make_line(100))
    with (tmp_path / run_log.LOG).open("a") as file:
        file.write(json.dumps({**EpochLine.model_dump(make_line(200)), "mood": "fine"}) + "\n")
    before = (tmp_path / run_log.LOG).read_bytes()
    with pytest.raises(RecordError, match="line 2 is not the record of an epoch: mood: Extra inputs are not permitted"):
        run_log.rewind(tmp_path, 100)
    assert (tmp_path / run_log.LOG).read_bytes() == before
