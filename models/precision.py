"""The number format in which this machine runs convolutions fastest."""

import time
from functools import cache

import torch
from torch import nn

_GAIN = 1.5
"""bf16 wins clearly where the hardware has it (2-8x) and loses where it is emulated; in between, float32 stays."""


@cache
def fastest_dtype(device: str) -> torch.dtype:
    """Choose bfloat16 or float32 for a device by timing one convolution in both.

    The gap is wide on either kind of hardware, so that the choice does not flip between runs.
    """
    if torch.device(device).type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    gain = _seconds(torch.float32) / _seconds(torch.bfloat16)
    return torch.bfloat16 if gain > _GAIN else torch.float32


@torch.inference_mode()
def _seconds(dtype: torch.dtype) -> float:
    convolution = nn.Conv2d(128, 128, 3, padding=1).to(dtype).to(memory_format=torch.channels_last)
    images = torch.zeros(16, 128, 16, 16, dtype=dtype).to(memory_format=torch.channels_last)
    convolution(images)
    return min(_timed(convolution, images) for _ in range(7))


def _timed(convolution: nn.Module, images: torch.Tensor) -> float:
    start = time.perf_counter()
    convolution(images)
    return time.perf_counter() - start
