"""Converts an exception to the error that a job's owner reads."""

import torch

from worker.contracts.job_state import JobError
from worker.contracts.store.store_errors import DamagedError
from worker.errors import WorkerError


def job_error(error: Exception) -> JobError:
    """Describe an exception by a stable code and a sentence."""
    return JobError(code=_code(error), message=_sentence(error))


def _code(error: Exception) -> str:
    if isinstance(error, WorkerError):
        return error.code
    if isinstance(error, DamagedError):
        return "artifact_damaged"
    return "out_of_memory" if isinstance(error, torch.OutOfMemoryError) else "render_failed"


def _sentence(error: Exception) -> str:
    if isinstance(error, WorkerError):
        return str(error)
    if isinstance(error, DamagedError):
        return f"a stored object of this job, or the image of its style, is damaged: {error}"
    if isinstance(error, torch.OutOfMemoryError):
        return "out of device memory: one batch does not fit, even after the cache was emptied"
    return f"rendering failed with {type(error).__name__}; see the worker's log"
