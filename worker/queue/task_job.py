"""RQ's record of a task, which is read with care: anything may be in Redis."""

from typing import Any

from pydantic import ValidationError
from rq.exceptions import DeserializationError, NoSuchJobError, StopRequested
from rq.job import Job
from rq.utils import as_text

from worker.contracts.queue.task_queue import NEEDS_FIELD
from worker.contracts.queue.tasks import Task
from worker.errors import TaskRefusedError


class TaskJob(Job):
    """An RQ job that never imports the function that its payload names."""

    needs = ""
    """Name of the model (and VGG19 weights) that the task needs; empty if any worker can do it or if it is unknown."""

    def restore(self, raw_data: Any) -> Any:  # noqa: ANN401
        """Read a job. A broken job raises NoSuchJobError, which RQ handles without ending the worker."""
        try:
            self.needs = as_text(raw_data.get(NEEDS_FIELD.encode(), b""))
            return super().restore(raw_data)
        except StopRequested:
            raise  # a signal arrived during the read; the job is not broken
        except Exception as error:
            raise NoSuchJobError(f"broken job {self.id}: {error}") from error

    @property
    def func(self) -> Any:  # noqa: ANN401
        """Raise TaskRefusedError. RQ would import the named function here."""
        raise TaskRefusedError(f"{self.func_name} is not imported: a task is never called by its name")


def parse_task(job: Job) -> Task:
    """Parse a payload. Raises TaskRefusedError if it is not a valid task."""
    try:
        if job.instance is not None or job.args:
            raise TaskRefusedError(f"{job.func_name} has positional arguments or an instance, which no task has")
        return Task.model_validate({"name": job.func_name, **job.kwargs})
    except (DeserializationError, ValidationError, TypeError) as error:
        raise TaskRefusedError(f"job {job.id} is not a valid task") from error
