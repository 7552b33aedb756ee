"""The logic of devices, without one: names, exhausted memory, and devices that are lost."""

import gc
import logging
import weakref
from copy import copy
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch

from models.device_memory import is_out_of_memory
from worker.contracts.catalog import Numerics
from worker.contracts.errors import SettingsError
from worker.rendering import device as device_module
from worker.rendering.device import call_with_memory, choose_device, device_name, is_usable

GPU = torch.device("cuda")
OUT_OF_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("GET was unable to find an engine to execute this computation"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    torch.AcceleratorError("CUDA error: out of memory", 2),
]
OTHER = [RuntimeError("mat1 and mat2 shapes cannot be multiplied"), ValueError("out of memory"), KeyError("x")]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=lambda error: type(error).__name__)
def test_exhausted_memory_is_known_by_each_of_its_names(error: Exception) -> None:
    assert is_out_of_memory(error)


@pytest.mark.parametrize("error", OTHER, ids=lambda error: type(error).__name__)
def test_other_errors_are_not_taken_for_exhausted_memory(error: Exception) -> None:
    assert not is_out_of_memory(error)


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=lambda error: type(error).__name__)
def test_work_is_done_again_without_the_tensors_of_the_first_try(error: Exception) -> None:
    held: list[weakref.ref[torch.Tensor]] = []

    def work() -> bool:
        if held:
            gc.collect()
            return held[0]() is None
        activations = torch.zeros(8)
        held.append(weakref.ref(activations))
        raise copy(error)  # the parameter itself would keep the frame

    assert call_with_memory(work)


def test_work_that_never_fits_raises_one_kind_of_error() -> None:
    def work() -> None:
        raise RuntimeError("GET was unable to find an engine to execute this computation")

    with pytest.raises(torch.OutOfMemoryError, match="unable to find an engine"):
        call_with_memory(work)


def test_other_errors_are_raised_at_once() -> None:
    calls: list[int] = []

    def work() -> None:
        calls.append(1)
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        call_with_memory(work)
    assert len(calls) == 1


def test_the_name_of_a_gpu_says_its_chip_and_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "NVIDIA H100 80GB HBM3")
    monkeypatch.setattr(device_module, "_cudnn_version", lambda: 91900)
    assert device_name(GPU) == "cuda-h100-80gb-hbm3-cudnn91900"
    assert Numerics(name=f"{device_name(GPU)}-bfloat16", batch_size=256)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "NVIDIA A10G")
    assert device_name(GPU) == "cuda-a10g-cudnn91900"
    assert device_name(torch.device("cpu")) == "cpu"


def test_a_device_is_usable_until_it_cannot_synchronise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_usable(torch.device("cpu"))
    healthy, lost = Mock(spec=torch.cuda.Stream), Mock(spec=torch.cuda.Stream)
    lost.synchronize.side_effect = torch.AcceleratorError("CUDA error: an illegal memory access was encountered", 700)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda _: healthy)
    assert is_usable(GPU)
    healthy.synchronize.assert_called_once_with()
    monkeypatch.setattr(torch.cuda, "current_stream", lambda _: lost)
    assert not is_usable(GPU)


def test_a_gpu_that_pytorch_cannot_use_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(device_module, "_NVIDIA_DEVICE", tmp_path)
    with caplog.at_level(logging.WARNING):
        assert choose_device("auto") == torch.device("cpu")
    assert "cannot use" in caplog.text
    with pytest.raises(SettingsError, match="nvidia-smi"):
        choose_device("cuda")
