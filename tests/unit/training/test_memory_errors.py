"""The sentence about a device without free memory. The errors are raised here; no device is filled."""

from pathlib import Path

import pytest
import torch

from training import run_plan
from training.errors import DeviceError
from training.memory_errors import explain_device_errors
from training.run_plan import STATE, Changes, RunPlan

CPU = torch.device("cpu")
ERRORS = {
    "PyTorch's allocator on a GPU": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "PyTorch's allocator on a CPU": RuntimeError(
        "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"
    ),
    "cuBLAS": RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    "cuDNN": RuntimeError("GET was unable to find an engine to execute this computation"),
    "pinned memory": torch.AcceleratorError("CUDA error: out of memory"),
}


@pytest.fixture
def plan(data: Path) -> RunPlan:
    return run_plan.plan_new_run(data, "dcgan", Changes(values=("batch=8",)), 0, CPU, "pets")


@pytest.mark.parametrize("kind", ERRORS)
def test_without_a_saved_state_the_sentence_names_a_smaller_batch(plan: RunPlan, data: Path, kind: str) -> None:
    with pytest.raises(DeviceError) as raised, explain_device_errors(plan, None):
        raise ERRORS[kind]
    assert str(raised.value) == (
        f"cpu ran out of memory with batches of 8 images. "
        f"Free memory, or take smaller batches: imagemill train {data} --set batch=4"
    )


def test_with_a_saved_state_the_sentence_says_how_to_continue(plan: RunPlan, data: Path, tmp_path: Path) -> None:
    (tmp_path / STATE).touch()
    with pytest.raises(DeviceError) as raised, explain_device_errors(plan, tmp_path):
        raise torch.OutOfMemoryError
    assert f"continue: imagemill train {data} --resume {tmp_path};" in str(raised.value)
    assert f"imagemill train {data} --set batch=4 --from {tmp_path}" in str(raised.value)


def test_a_failed_device_is_named_with_its_first_line(plan: RunPlan) -> None:
    with pytest.raises(DeviceError, match=r"^cpu failed \(CUDA error: an illegal memory access\)\. "):  # noqa: SIM117
        with explain_device_errors(plan, None):
            raise torch.AcceleratorError("CUDA error: an illegal memory access\nCompile with TORCH_USE_CUDA_DSA")


def test_another_error_stays_as_it_is(plan: RunPlan) -> None:
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"), explain_device_errors(plan, None):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
