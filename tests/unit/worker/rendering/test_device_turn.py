import logging
from pathlib import Path
from threading import Event, Thread

import pytest
import torch

from worker.rendering import device_turn as module
from worker.rendering.device_turn import device_turn

GPU = torch.device("cuda")


@pytest.fixture(autouse=True)
def uuid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_uuid", lambda _: "GPU-1")


def test_a_second_worker_waits_until_the_first_has_loaded_its_models(tmp_path: Path) -> None:
    has_turn = Event()

    def load() -> None:
        with device_turn(GPU, tmp_path):
            has_turn.set()

    second = Thread(target=load)
    with device_turn(GPU, tmp_path):
        second.start()
        assert not has_turn.wait(0.3)
    second.join(10)
    assert has_turn.is_set()


def test_a_worker_that_hangs_does_not_stop_the_others_for_good(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with device_turn(GPU, tmp_path), caplog.at_level(logging.WARNING), device_turn(GPU, tmp_path, seconds=0.1):
        assert "too long" in caplog.text


def test_a_folder_without_access_is_no_obstacle(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), device_turn(GPU, tmp_path / "missing"):
        assert "could not be used" in caplog.text


def test_an_error_of_the_work_is_raised_and_frees_the_lock(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="own"), device_turn(GPU, tmp_path):
        raise OSError("own")
    with device_turn(GPU, tmp_path, seconds=0):
        pass


def test_a_cpu_needs_no_lock(tmp_path: Path) -> None:
    with device_turn(torch.device("cpu"), tmp_path):
        assert not list(tmp_path.iterdir())
