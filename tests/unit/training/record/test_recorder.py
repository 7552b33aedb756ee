import dataclasses
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import DiskOf
from tests.unit.training.record.conftest import MakeLine
from tests.unit.training.record.test_model_card import header
from training.record import Recorder, run_log

GRID = Image.effect_noise((200, 100), 80).convert("RGB")


@dataclasses.dataclass
class Listener:
    """Hears warnings."""

    heard: list[str] = dataclasses.field(default_factory=list)

    def __call__(self, sentence: str) -> None:
        self.heard.append(sentence)


@pytest.fixture
def ear() -> Listener:
    return Listener()


def test_an_epoch_leaves_a_line_a_grid_plots_and_a_file_for_tensorboard(
    tmp_path: Path, make_line: MakeLine, ear: Listener
) -> None:
    recorder = Recorder(tmp_path, "pets-32", ear)
    recorder.record_epoch(make_line(100), GRID)
    recorder.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.jsonl", "plots.png", "samples", "tensorboard"]
    assert [path.name for path in (tmp_path / "samples").iterdir()] == ["images-000000100.png"]
    assert Image.open(tmp_path / "samples" / "images-000000100.png").tobytes() == GRID.tobytes()
    assert ear.heard == []


def test_an_epoch_may_go_without_a_grid(tmp_path: Path, make_line: MakeLine, ear: Listener) -> None:
    Recorder(tmp_path, "pets-32", ear).record_epoch(make_line(100))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.jsonl", "plots.png", "tensorboard"]
    assert ear.heard == []


def test_a_checkpoint_gets_its_pictures_and_a_card_that_shows_them(
    tmp_path: Path, make_line: MakeLine, ear: Listener
) -> None:
    recorder = Recorder(tmp_path, "pets-32", ear)
    recorder.record_epoch(make_line(100, events=("went back",)), GRID)
    recorder.publish(header(), GRID, strip=GRID)
    text = (tmp_path / "pets-32.md").read_text(encoding="utf-8")
    for name in ("pets-32.png", "pets-32-strip.png", "plots.png", "log.jsonl"):
        assert f"({name})" in text
        assert (tmp_path / name).exists()
    assert "went back" in text
    assert ear.heard == []


def test_a_card_shows_no_picture_that_is_not_there(tmp_path: Path, ear: Listener) -> None:
    Recorder(tmp_path, "pets-32", ear).publish(header(), GRID)
    text = (tmp_path / "pets-32.md").read_text(encoding="utf-8")
    assert "strip" not in text
    assert "plots" not in text


def test_a_card_from_before_the_first_epoch_ended_shows_the_plots_at_the_end(
    tmp_path: Path, make_line: MakeLine, ear: Listener
) -> None:
    recorder = Recorder(tmp_path, "pets-32", ear)
    recorder.publish(header(), GRID)
    recorder.record_epoch(make_line(100))
    recorder.close()
    assert "](plots.png)" in (tmp_path / "pets-32.md").read_text(encoding="utf-8")


def test_plots_are_not_drawn_after_every_short_epoch_but_always_at_the_end(
    tmp_path: Path, make_line: MakeLine, ear: Listener
) -> None:
    recorder = Recorder(tmp_path, "pets-32", ear)
    recorder.record_epoch(make_line(100), GRID)
    first = (tmp_path / "plots.png").read_bytes()
    recorder.record_epoch(make_line(200), GRID)
    assert (tmp_path / "plots.png").read_bytes() == first
    recorder.close()
    assert (tmp_path / "plots.png").read_bytes() != first


def test_a_resumed_run_writes_no_epoch_twice(tmp_path: Path, make_line: MakeLine, ear: Listener) -> None:
    first = Recorder(tmp_path, "pets-32", ear)
    for seen in (100, 200, 300):
        first.record_epoch(make_line(seen), GRID)
    second = Recorder(tmp_path, "pets-32", ear, images_seen=200)
    second.record_epoch(make_line(300), GRID)
    assert [line.images_seen for line in run_log.read(tmp_path)] == [100, 200, 300]
    assert len(list((tmp_path / "samples").iterdir())) == 3


def test_a_full_disk_costs_records_but_not_the_run(
    tmp_path: Path, make_line: MakeLine, ear: Listener, disk_of: DiskOf
) -> None:
    recorder = Recorder(tmp_path, "pets-32", ear)
    with disk_of(10):
        for seen in (100, 200):
            recorder.record_epoch(make_line(seen), GRID)
            recorder.publish(header(), GRID, strip=GRID)
    told = ("the log", "files for TensorBoard", "samples", "the grid", "the strip", "the card")
    assert ear.heard == [f"could not write {what} (File too large); training goes on" for what in told]
    recorder.record_epoch(make_line(300), GRID)
    recorder.publish(header(), GRID)
    recorder.close()
    assert len(ear.heard) == len(told)
    assert [line.images_seen for line in run_log.read(tmp_path)] == [300]
    assert {path.name for path in tmp_path.iterdir()} >= {"pets-32.png", "pets-32.md", "plots.png"}
    assert not list(tmp_path.rglob("*.partial"))


def test_trouble_that_comes_again_is_told_again(
    tmp_path: Path, make_line: MakeLine, ear: Listener, disk_of: DiskOf
) -> None:
    recorder = Recorder(tmp_path, "pets-32", ear)
    for seen in (100, 200):
        with disk_of(10):
            recorder.publish(header(), GRID)
        recorder.publish(header(), GRID)
        recorder.record_epoch(make_line(seen), GRID)
    assert ear.heard == 2 * [
        f"could not write {what} (File too large); training goes on" for what in ("the grid", "the card")
    ]


def test_a_file_in_the_place_of_a_folder_is_no_end(tmp_path: Path, make_line: MakeLine, ear: Listener) -> None:
    for name in ("samples", "tensorboard"):
        (tmp_path / name).write_text("in the way")
    recorder = Recorder(tmp_path, "pets-32", ear)
    recorder.record_epoch(make_line(100), GRID)
    assert [sentence.split(" (")[0] for sentence in ear.heard] == [
        "could not write files for TensorBoard",
        "could not write samples",
    ]
    assert len(run_log.read(tmp_path)) == 1


def test_a_log_that_someone_changed_is_no_end(tmp_path: Path, make_line: MakeLine, ear: Listener) -> None:
    (tmp_path / "log.jsonl").write_text('{"epoch": "first"}\n')
    recorder = Recorder(tmp_path, "pets-32", ear, images_seen=100)
    recorder.record_epoch(make_line(200), GRID)
    assert "line 1 is not the record of an epoch" in ear.heard[0]
    assert (tmp_path / "log.jsonl").read_text().startswith('{"epoch": "first"}\n{"epoch":2,')


def test_a_run_without_the_optional_packages_says_what_it_misses_once(
    tmp_path: Path, make_line: MakeLine, ear: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in ("matplotlib", "tensorboard")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("matplotlib", "tensorboard"):
        monkeypatch.setitem(sys.modules, name, None)
    recorder = Recorder(tmp_path, "pets-32", ear)
    for seen in (100, 200):
        recorder.record_epoch(make_line(seen), GRID)
    recorder.close()
    assert ear.heard == [
        "no files for TensorBoard without tensorboard: pip install 'imagemill[training]'",
        "no plots without matplotlib: pip install 'imagemill[training]'",
    ]
    assert len(run_log.read(tmp_path)) == 2
