"""Sends reports to Redis in a thread of its own, so that a worker does not wait for a distant queue server."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from worker.contracts.queue.tasks import Task
from worker.queue.heartbeat import Heartbeat


class Background:
    """One thread that does small calls in order. Use it from one thread."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "report")
        self._last: Future[object] | None = None

    @property
    def is_idle(self) -> bool:
        """Return whether all calls have ended."""
        return self._last is None or self._last.done()

    def submit(self, call: Callable[[], object]) -> None:
        """Do a call after all earlier ones."""
        self._last = self._thread.submit(call)

    def wait(self) -> None:
        """Wait until all calls have ended. Raises the error of the last one."""
        last, self._last = self._last, None
        if last is not None:
            last.result()


class ProgressReports:
    """Reports the progress of one task in the background."""

    def __init__(self, heartbeat: Heartbeat, task: Task, background: Background) -> None:
        self._heartbeat = heartbeat
        self._task = task
        self._background = background
        self.is_cancelled = False
        """Whether Redis has answered that the job was cancelled."""

    def report(self, images_done: int) -> None:
        """Start a report. Any but the first is left out while an earlier call is still on its way."""
        if not images_done or self._background.is_idle:
            self._background.submit(lambda: self._report(images_done))

    def close(self) -> None:
        """Wait for the last report. A later one would renew the lease of a task that goes back to the queue."""
        self._background.wait()

    def _report(self, images_done: int) -> None:
        self.is_cancelled = self._heartbeat.report_progress(self._task, images_done)
