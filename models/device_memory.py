"""Recognises exhausted device memory. Each library reports it in its own words."""

import re

import torch

_MEMORY_ERRORS = re.compile(
    # cuDNN finds no algorithm whose workspace fits; cuBLAS cannot create its handle; the driver itself.
    r"out of memory|unable to find an engine|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED",
    re.IGNORECASE,
)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that the device memory is exhausted."""
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and _MEMORY_ERRORS.search(str(error)) is not None
    )
