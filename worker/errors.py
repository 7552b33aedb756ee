"""Errors of the worker, each with the code that a job's owner sees."""


class WorkerError(Exception):
    """Base class of the errors of this package. `code` is stable and public."""

    code = "internal"


class ModelUnavailableError(WorkerError):
    """The worker does not have the model of the job, which is identified by its sha256."""

    code = "model_unavailable"


class WorkerCrashedError(WorkerError):
    """Several workers died at the same shard."""

    code = "worker_crashed"


class TaskRefusedError(WorkerError):
    """An entry of the queue is not a valid task."""

    code = "task_refused"


class WeightsError(WorkerError):
    """The weights that style transfer needs are missing, or have another checksum."""

    code = "weights_unavailable"


class GateUnavailableError(WorkerError):
    """The worker does not have the quality gate of the job, which is identified by its sha256."""

    code = "gate_unavailable"


class YieldTooLowError(WorkerError):
    """A job has looked at all its candidates, and has not kept as many images as it was asked for."""

    code = "yield_too_low"


class AncestorLostError(WorkerError):
    """Images of a job that this job extends are gone. A retry renders the whole dataset."""

    code = "artifact_damaged"


class DivergedError(WorkerError):
    """Style transfer produced NaN or infinite values, even with smaller steps."""

    code = "diverged"
