"""Runs the two tasks of the queue: render one shard, finish one job."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event, Semaphore
from typing import cast

import torch

from worker.archive import shard_layout
from worker.archive.zip_tail import build_tail
from worker.contracts.jobs import JobError, JobSpec, JobState
from worker.contracts.queue.redis_keys import distillation_lease_key
from worker.contracts.queue.task_queue import TaskQueue
from worker.contracts.queue.tasks import Task
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import StoreError
from worker.contracts.styles import StyleSpec
from worker.contracts.throttled_log import ThrottledLogger
from worker.errors import WorkerCrashedError
from worker.queue.failure import job_error
from worker.queue.heartbeat import Heartbeat, OutageTolerated
from worker.queue.outcome import Outcome
from worker.queue.store_check import StoreCheck
from worker.queue.watchdog import Watchdog
from worker.renderer import Renderer, no_weights
from worker.rendering.batches import EncodedImage
from worker.rendering.engine import LoadedModel, RenderEngine
from worker.style.distilled_models import DistilledModels

_MAX_CRASHES = 3
REPORT_SECONDS = 0.2
"""Time between two reports of progress. A cancelled job stops after this time and one batch at most."""

_RENEW_SHARDS = 32
"""Shard indices that are read between two renewals of a lease.

In a distant bucket this takes a few seconds; a lease expires after 15.
"""

_DISTILLATION_SECONDS = 2.0
"""Time that one task may spend on a distillation. Then it goes to the end of the queue."""

_OTHER_WORKER_SECONDS = 0.5
"""Pause of a worker whose job needs a distilled model that another worker is distilling."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TaskRunner:
    """Runs tasks. Every result and error is written to the store, so no exception reaches the queue."""

    store: Store
    engine: RenderEngine
    heartbeat: Heartbeat
    task_queue: TaskQueue
    renderer: Renderer
    storing_thread: Executor
    """Executor of one thread that stores shards."""
    settling_thread: Executor
    """Executor of one thread that settles jobs: it forces them to the disk."""
    stopping: Event
    watchdog: Watchdog
    store_check: StoreCheck
    offers: frozenset[str]
    """Values of `JobSpec.needs` that this worker can render. It leaves other tasks to other workers."""
    distilled_models: DistilledModels | None = None
    """Finds and makes distilled models; None without the weights of VGG19."""
    storing_slot: Semaphore = field(default_factory=Semaphore)
    """Held while a shard is stored: at most one shard is stored while the next one is rendered."""
    throttled_log: ThrottledLogger = field(default_factory=lambda: ThrottledLogger(log))

    def run(self, task: Task) -> Outcome:
        """Run a task, unless its job has ended or another worker holds its lease."""
        try:
            spec = self.store.jobs.spec(task.job_id)
            if spec is None or self.store.jobs.state(spec.id) is not None:
                return Outcome.DONE
            if task.shard is not None and spec.needs not in self.offers:
                return Outcome.OTHER_WORKER
            if not self.heartbeat.acquire_lease(task.lease_key):
                return Outcome.DONE
        except Exception as error:
            return self._drop(task, error)
        with self.watchdog:
            return self._guarded(task, spec, lambda: self._do(task, spec))

    def _guarded(self, task: Task, spec: JobSpec, work: Callable[[], Outcome]) -> Outcome:
        """Run a part of a task. Release its lease unless the storing thread goes on with it."""
        outcome = Outcome.DONE
        try:
            outcome = self._ending_in_the_store(task, spec, work)
        except torch.AcceleratorError as error:
            raise SystemExit(1) from error  # CUDA is unusable in this process from now on; a supervisor restarts it
        except Exception as error:
            outcome = self._drop(task, error)
        if outcome is not Outcome.STORING:
            self.heartbeat.end_attempt(task)
        return outcome

    def _drop(self, task: Task, error: Exception) -> Outcome:
        """Drop a task after an error of the store.

        If this worker cannot use the store at all, the task goes to the end of the queue, for other workers. Otherwise
        only this job is affected, and the reconciler queues the task again later.
        """
        fields = (task.job_id, task.shard, error)
        if isinstance(error, (StoreError, OSError)):
            self.throttled_log.warning("task was dropped job_id=%s shard=%s reason=%s", *fields)
        else:
            self.throttled_log.warning(
                "task was dropped unexpectedly job_id=%s shard=%s reason=%s", *fields, exc_info=error
            )
        self.heartbeat.counts.count("tasks_dropped")
        return Outcome.DEFERRED if self.store_check.record_drop(error) else Outcome.DONE

    def _ending_in_the_store(self, task: Task, spec: JobSpec, work: Callable[[], Outcome]) -> Outcome:
        """Run a part of a task. Errors that the store did not cause end the job."""
        try:
            return work()
        except (StoreError, OSError, torch.AcceleratorError):
            raise
        except Exception as error:
            failure = job_error(error)
            log.exception("job failed job_id=%s shard=%s code=%s", spec.id, task.shard, failure.code)
            self._fail(spec, failure)
            return Outcome.DONE

    def _do(self, task: Task, spec: JobSpec) -> Outcome:
        crashes = self.heartbeat.count_attempt(task)
        if crashes:
            self.heartbeat.counts.count("attempts_crashed")  # earlier ones were counted by earlier attempts
        if crashes >= _MAX_CRASHES:
            raise WorkerCrashedError(f"{crashes} workers died at the same shard of this job, or while they finished it")
        if task.shard is None:
            self._finalise(task, spec)
            return Outcome.DONE
        return self._render_shard(task, task.shard, spec)

    def _render_shard(self, task: Task, shard: int, spec: JobSpec) -> Outcome:
        if shard >= spec.shard_count or self.store.shards.index(spec.id, shard) is not None:
            return Outcome.DONE
        model = self._find_model(task, spec)
        if isinstance(model, Outcome):
            return model
        self._enqueue_successor(task, spec)
        began = time.perf_counter()
        with self.heartbeat.counts.timed("rendering", _mode(spec)):
            images = self._render(task, spec, model, spec.shard_indices(shard))
        if images is None:
            return Outcome.INTERRUPTED if self.stopping.is_set() else Outcome.DONE
        if spec.style is None:
            self.heartbeat.images_per_s = len(images) / (time.perf_counter() - began)
        self.heartbeat.mark_rendered(task)
        self.storing_slot.acquire()
        self.storing_thread.submit(self._store_in_background, task, shard, spec, images)
        return Outcome.STORING

    def _store_in_background(self, task: Task, shard: int, spec: JobSpec, images: list[EncodedImage]) -> None:
        """Store a shard in the storing thread, while the next one is rendered."""
        try:
            outcome = self._guarded(task, spec, lambda: self._store(task, shard, spec, images))
            if outcome is Outcome.DEFERRED:
                with OutageTolerated():
                    self.task_queue.enqueue(spec, [Task.render_shard(spec.id, shard)])
        finally:
            self.storing_slot.release()

    def _store(self, task: Task, shard: int, spec: JobSpec, images: list[EncodedImage]) -> Outcome:
        with self.heartbeat.counts.timed("storing", _mode(spec)):
            data, table, array = shard_layout.layout(spec, shard, images)
            self.store_check.needed_bytes = len(data)
            is_first = self.store.shards.commit(spec.id, shard, data, table, array)
        self.store_check.record_success()
        self.heartbeat.publish_shard_committed(spec.id)
        if is_first:
            self.heartbeat.counts.count("images_rendered", spec.model.name, _mode(spec), by=len(images))
        else:
            self.heartbeat.counts.count("shards_rejected")
        self.heartbeat.report_progress(task, len(images))
        if len(self.store.shards.committed(spec.id)) == spec.shard_count:
            self._finalise(task, spec)
        return Outcome.DONE

    def _enqueue_successor(self, task: Task, spec: JobSpec) -> None:
        """Queue the job's next shard behind the waiting tasks, so that long jobs alternate and use all workers."""
        with OutageTolerated():
            if task.successor:
                self.task_queue.enqueue(spec, [task.successor])

    def _find_model(self, task: Task, spec: JobSpec) -> LoadedModel | Outcome:
        """Return the model that renders a job's images.

        A distilled model may not exist yet. Then distil it for a while; returns the task's outcome if it is not done.
        """
        model, style = self.engine.model(spec.model), spec.style
        if style is None or style.mode == "standard" or style.strength == 0:
            return model
        if self.distilled_models is None:
            raise no_weights()
        return self.distilled_models.model(model, style, spec.owner) or self._distil(task, model, style, spec.owner)

    def _distil(self, task: Task, model: LoadedModel, style: StyleSpec, owner: str) -> LoadedModel | Outcome:
        """Distil a model for a few seconds. Other jobs are served before the distillation goes on."""
        distilled_models = cast(DistilledModels, self.distilled_models)
        lease = distillation_lease_key(style.distilled_model_key(model.entry, owner))
        if not self.heartbeat.acquire_lease(lease):
            self.stopping.wait(_OTHER_WORKER_SECONDS)  # another worker distils this model
            return Outcome.DEFERRED
        # The previous holder of the lease may have finished the model just before.
        if distilled := distilled_models.model(model, style, owner):
            self.heartbeat.release_lease(lease)
            return distilled
        turn: float | None = None
        outcome: Outcome | None = None

        def may_continue(share: float) -> bool:
            nonlocal turn, outcome
            now = time.monotonic()
            self.watchdog.pat()
            turn = turn or now + _DISTILLATION_SECONDS  # set here, so that every attempt does at least one step
            if self.heartbeat.report_distillation(task, share, lease):
                outcome = Outcome.DONE
            elif self.stopping.is_set():
                outcome = Outcome.INTERRUPTED
            elif now > turn:
                outcome = Outcome.DEFERRED
            return outcome is None

        try:
            with self.heartbeat.counts.timed("learning", style.mode):
                distilled_models.learn(model, style, owner, may_continue)
        finally:
            self.heartbeat.release_lease(lease)
        return outcome or distilled_models.model(model, style, owner) or Outcome.DEFERRED

    def _render(self, task: Task, spec: JobSpec, model: LoadedModel, indices: range) -> list[EncodedImage] | None:
        """Render one shard. Returns None if this worker stops or the job was cancelled."""
        images: list[EncodedImage] = []
        self.heartbeat.report_progress(task, 0)
        reported, unwanted = time.monotonic(), Event()

        def is_wanted() -> bool:
            self.watchdog.pat()
            return not unwanted.is_set()

        try:
            for batch in self.renderer.mill(spec, model, indices, is_wanted).render(indices):
                images += batch
                if batch:
                    self.watchdog.pat()
                if self.stopping.is_set():
                    return None
                if time.monotonic() - reported > REPORT_SECONDS:
                    reported = time.monotonic()
                    if self.heartbeat.report_progress(task, len(images)):
                        return None
        finally:
            unwanted.set()
        return images

    def _finalise(self, task: Task, spec: JobSpec) -> None:
        indices = []
        for number in range(spec.shard_count):
            shard = self.store.shards.index(spec.id, number)
            if shard is None:
                return
            indices.append(shard)
            if len(indices) % _RENEW_SHARDS == 0:
                self.heartbeat.renew_lease(task)
        with self.heartbeat.counts.timed("closing", _mode(spec)):
            plan = self.store.archives.publish(spec.id, indices, build_tail(spec, indices))
        if self._finish(spec, "succeeded", None):
            log.info("job succeeded job_id=%s images=%d bytes=%d", spec.id, spec.n, plan.size)

    def _fail(self, spec: JobSpec, error: JobError) -> None:
        self._finish(spec, "failed", error)
        self.heartbeat.cancel_other_shards(spec.id)

    def _finish(self, spec: JobSpec, outcome: str, error: JobError | None) -> bool:
        started = self.heartbeat.start_time(spec.id)
        state = JobState.model_validate(
            {"outcome": outcome, "started": started, "finished": datetime.now(UTC), "error": error}
        )
        is_first = self.store.jobs.finish(spec.id, state)
        if is_first:
            self.heartbeat.counts.count("jobs_ended", outcome)
        self.heartbeat.publish_job_ended(spec.id)
        self.settling_thread.submit(self._settle, spec)
        return is_first

    def _settle(self, spec: JobSpec) -> None:
        state = self.store.jobs.state(spec.id)
        if state is not None:
            self.store.jobs.settle(spec, state)


def _mode(spec: JobSpec) -> str:
    return spec.style.mode if spec.style else "none"
