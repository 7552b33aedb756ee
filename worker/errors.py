"""What can go wrong while rendering, with the code that a job's owner sees."""


class WorkerError(Exception):
    """Base of every error that this package raises. `code` is stable and public."""

    code = "internal"


class ModelUnavailableError(WorkerError):
    """The job wants a model, by sha256, that this worker does not have."""

    code = "model_unavailable"


class WorkerCrashedError(WorkerError):
    """The same shard has ended several workers."""

    code = "worker_crashed"


class TaskRefusedError(WorkerError):
    """Something on the queue is not one of our tasks."""

    code = "task_refused"


class WeightsError(WorkerError):
    """The weights that style transfer needs are not there, or are others."""

    code = "weights_unavailable"


class DivergedError(WorkerError):
    """Style transfer came to values that are no numbers, also with smaller steps."""

    code = "diverged"
