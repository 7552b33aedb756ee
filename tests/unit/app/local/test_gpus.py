from pathlib import Path

import pytest

from app.local.gpus import gpu_of_worker, visible_gpus


def test_workers_take_the_gpus_in_turn() -> None:
    gpus = ["0", "1", "2"]
    assert [gpu_of_worker(gpus, worker)["CUDA_VISIBLE_DEVICES"] for worker in range(5)] == ["0", "1", "2", "0", "1"]


@pytest.mark.parametrize("gpus", [[], ["0"]])
def test_one_gpu_or_none_is_left_to_the_library(gpus: list[str]) -> None:
    assert gpu_of_worker(gpus, 3) == {}


def test_the_gpus_are_those_of_the_driver_or_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    for name in ("0000:00:1e.0", "0000:00:1f.0"):
        (tmp_path / name).mkdir()
    assert visible_gpus(tmp_path) == ["0", "1"]
    assert visible_gpus(tmp_path / "none") == []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 3")
    assert visible_gpus(tmp_path) == ["2", "3"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert visible_gpus(tmp_path) == []
