"""Finds the distilled model of a job, or distils it for a few seconds at a time."""

import time
from dataclasses import dataclass
from threading import Event

from worker.contracts.queue.redis_keys import distillation_lease_key
from worker.contracts.queue.tasks import Task
from worker.contracts.styles import StyleSpec
from worker.queue.heartbeat import Heartbeat
from worker.queue.outcome import Outcome
from worker.queue.watchdog import Watchdog
from worker.rendering.loaded_model import LoadedModel
from worker.style.distilled_models import DistilledModels

_SLICE_SECONDS = 2.0
"""Time that one task may spend on a distillation. Then it goes to the end of the queue."""
_OTHER_WORKER_SECONDS = 0.5
"""Pause of a worker whose job needs a distilled model that another worker is distilling."""


class DistillationSlice:
    """The time slice of a distillation that one task may use. It decides when the task stops."""

    def __init__(self, task: Task, lease: str, heartbeat: Heartbeat, watchdog: Watchdog, stopping: Event) -> None:
        self._task = task
        self._lease = lease
        self._heartbeat = heartbeat
        self._watchdog = watchdog
        self._stopping = stopping
        self.deadline: float | None = None
        """Monotonic time when the time slice ends; None before the first step."""
        self.outcome: Outcome | None = None
        """Outcome of the task; None while the distillation may go on."""
        self._first: tuple[float, float] | None = None
        self.share_done, self.seconds = 0.0, 0.0
        """Share of the distillation that was done in this time slice, and the seconds that it took."""

    def may_continue(self, share: float) -> bool:
        """Report the share that is done. Returns whether another step may follow."""
        now = time.monotonic()
        self._watchdog.pat()
        self._first = self._first or (share, now)
        self.share_done, self.seconds = share - self._first[0], now - self._first[1]
        # The time to load the state of the distillation does not count. So every time slice has at least one step.
        self.deadline = self.deadline or now + _SLICE_SECONDS
        is_cancelled = self._heartbeat.report_distillation(self._task, share, self._lease)
        if is_cancelled:
            self.outcome = Outcome.DONE
        elif self._stopping.is_set():
            self.outcome = Outcome.INTERRUPTED
        elif now > self.deadline:
            self.outcome = Outcome.DEFERRED
        return self.outcome is None


@dataclass(frozen=True)
class Distiller:
    """Finds or makes the distilled models of jobs. Only one worker distils a model at a time."""

    models: DistilledModels
    heartbeat: Heartbeat
    watchdog: Watchdog
    stopping: Event

    def find_or_distil(self, task: Task, model: LoadedModel, style: StyleSpec, owner: str) -> LoadedModel | Outcome:
        """Return the distilled model. If it is not done yet, work on it; returns the task's outcome if that ends first.

        The task then returns to the queue, so that other jobs are served before the distillation goes on.
        """
        if found := self.models.model(model, style, owner):
            return found
        lease = distillation_lease_key(style.distilled_model_key(model.entry, owner))
        if not self.heartbeat.acquire_lease(lease):
            self.stopping.wait(_OTHER_WORKER_SECONDS)
            return Outcome.DEFERRED
        time_slice = DistillationSlice(task, lease, self.heartbeat, self.watchdog, self.stopping)
        try:
            # The previous holder of the lease may have finished the model since the first look.
            if self.models.model(model, style, owner) is None:
                with self.heartbeat.counts.timed("learning", style.mode):
                    self.models.train(model, style, owner, time_slice.may_continue)
                meter = self.heartbeat.cost_meter
                meter.record_learning(model.entry.sha256, style, time_slice.share_done, time_slice.seconds)
        finally:
            self.heartbeat.release_lease(lease)
        return time_slice.outcome or self.models.model(model, style, owner) or Outcome.DEFERRED
