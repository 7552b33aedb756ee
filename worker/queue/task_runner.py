"""Runs the two tasks of the queue: render one shard, finish one job."""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from threading import Event, Semaphore

import torch

from worker.archive.candidate_table import candidate_table
from worker.archive.layouts.chosen_layout import layout_of
from worker.contracts.jobs import JobSpec
from worker.contracts.logs import fields
from worker.contracts.queue.task_queue import TaskQueue
from worker.contracts.queue.tasks import Task
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import StoreError
from worker.contracts.throttled_log import ThrottledLogger
from worker.errors import WorkerCrashedError
from worker.queue.distiller import Distiller
from worker.queue.failure import job_error
from worker.queue.heartbeat import Heartbeat
from worker.queue.job_finisher import JobFinisher
from worker.queue.outcome import Outcome
from worker.queue.redis_outage import tolerating_outage
from worker.queue.shard_renderer import ShardRenderer
from worker.queue.store_check import StoreCheck
from worker.queue.watchdog import Watchdog, end_process
from worker.renderer import no_weights
from worker.rendering.candidate import Candidate
from worker.rendering.device import is_usable
from worker.rendering.encoding import EncodedImage
from worker.rendering.engine import RenderEngine
from worker.rendering.loaded_model import LoadedModel

_MAX_CRASHES = 3
"""Number of workers that may die at one task. The next worker that takes it fails the job."""

log = logging.getLogger(__name__)


@dataclass
class _Attempt:
    outcome: Outcome = Outcome.DONE


@dataclass(frozen=True)
class TaskRunner:
    """Runs tasks. Every result and error is written to the store, so no exception reaches the queue."""

    store: Store
    engine: RenderEngine
    heartbeat: Heartbeat
    task_queue: TaskQueue
    shard_renderer: ShardRenderer
    finisher: JobFinisher
    storing_thread: Executor
    """Executor of one thread that stores shards."""
    asking_threads: Executor
    """Executor of threads that ask the store and the queue server at once."""
    stopping: Event
    watchdog: Watchdog
    store_check: StoreCheck
    offers: frozenset[str]
    """Values of `JobSpec.needs` that this worker can render. It leaves other tasks to other workers."""
    distiller: Distiller | None = None
    """Finds and makes distilled models; None without the weights of VGG19."""
    storing_slot: Semaphore = field(default_factory=Semaphore)
    """Held while a shard is stored: at most one shard is stored while the next one is rendered."""
    throttled_log: ThrottledLogger = field(default_factory=lambda: ThrottledLogger(log))

    def run(self, task: Task) -> Outcome:
        """Run a task, unless its job has ended or another worker holds its lease."""
        # The queue server and the store are asked at once, because distant ones take long to answer.
        beginning = self.asking_threads.submit(self.heartbeat.begin_attempt, task)
        try:
            found = self._find(task)
        except Exception as error:
            found = self._drop(task, error)
        crashes = beginning.result()
        if crashes is None:
            return found if isinstance(found, Outcome) else Outcome.DONE
        if isinstance(found, Outcome):
            self.heartbeat.withdraw_attempt(task)
            return found
        with self.watchdog, self._attempt(task, found) as attempt:
            attempt.outcome = self._run_leased(task, found, crashes)
        return attempt.outcome

    def _find(self, task: Task) -> JobSpec | Outcome:
        """Return the job of a task; or the task's outcome if this worker has nothing to do for it."""
        asked = self.asking_threads
        state, is_committed = asked.submit(self.store.jobs.state, task.job_id), asked.submit(self._is_committed, task)
        spec = self.store.jobs.spec(task.job_id)
        if state.result() is not None or spec is None or is_committed.result():
            return Outcome.DONE
        is_able = task.shard is None or spec.needs in self.offers
        return spec if is_able else Outcome.OTHER_WORKER

    def _is_committed(self, task: Task) -> bool:
        return task.shard is not None and self.store.shards.is_committed(task.job_id, task.shard)

    @contextmanager
    def _attempt(self, task: Task, spec: JobSpec) -> Iterator[_Attempt]:
        """Handle the errors of an attempt, then end it, unless the storing thread goes on with the task.

        An error of the store drops the task, and every other error ends the job.
        """
        attempt = _Attempt()
        try:
            yield attempt
        except torch.AcceleratorError as error:
            raise SystemExit(1) from error  # CUDA is unusable in this process from now on; a supervisor restarts it
        except (StoreError, OSError) as error:
            attempt.outcome = self._drop(task, error)
        except Exception as error:
            if not is_usable(self.engine.device):
                raise SystemExit(1) from error  # another library named the error of the device otherwise
            attempt.outcome = self._fail(task, spec, error)
        if attempt.outcome is not Outcome.STORING:
            self.heartbeat.end_attempt(task)

    def _drop(self, task: Task, error: Exception) -> Outcome:
        """Drop a task after an error of the store.

        If this worker cannot use the store at all, the task goes to the end of the queue, for other workers. Otherwise
        only this job is affected, and the reconciler queues the task again later.
        """
        known = fields(job_id=task.job_id, shard=task.shard, reason=error)
        if isinstance(error, (StoreError, OSError)):
            self.throttled_log.warning("task was dropped", extra=known)
        else:
            self.throttled_log.warning("task was dropped unexpectedly", extra=known, exc_info=error)
        self.heartbeat.counts.count("tasks_dropped")
        return Outcome.DEFERRED if self.store_check.record_drop(error) else Outcome.DONE

    def _fail(self, task: Task, spec: JobSpec, error: Exception) -> Outcome:
        failure = job_error(error)
        log.exception("job failed", extra=fields(job_id=spec.id, shard=task.shard, code=failure.code))
        try:
            self.finisher.fail(spec, failure)
        except Exception as trouble:
            return self._drop(task, trouble)
        return Outcome.DONE

    def _run_leased(self, task: Task, spec: JobSpec, crashes: int) -> Outcome:
        if crashes:
            self.heartbeat.counts.count("attempts_crashed")  # earlier ones were counted by earlier attempts
        if crashes >= _MAX_CRASHES:
            raise WorkerCrashedError(f"{crashes} workers died at the same shard of this job, or while they finished it")
        if task.shard is None:
            self.finisher.succeed(task, spec)
            return Outcome.DONE
        return self._render_shard(task, task.shard, spec)

    def _render_shard(self, task: Task, shard: int, spec: JobSpec) -> Outcome:
        if shard >= spec.shard_count:
            return Outcome.DONE
        if not self.shard_renderer.choices.is_needed(spec, shard):
            if shard == spec.first_shard:  # the ancestors of the job have all its images
                self.finisher.succeed(task, spec)
            return Outcome.DONE
        model = self._find_model(task, spec)
        if isinstance(model, Outcome):
            return model
        # The next shard is queued behind the waiting tasks, so that long jobs alternate and use all workers.
        if successor := task.successor:
            self.shard_renderer.background.submit(partial(self._enqueue, spec, successor))
        began = time.perf_counter()
        with self.heartbeat.counts.timed("rendering", spec.style_mode):
            candidates = self.shard_renderer.render(task, shard, spec, model)
        if candidates is None:
            return Outcome.INTERRUPTED if self.stopping.is_set() else Outcome.DONE
        if not candidates:
            return Outcome.DONE  # earlier shards have all images of the job
        seconds = time.perf_counter() - began
        if spec.style is None:
            self.heartbeat.images_per_s = len(candidates) / seconds
        self.heartbeat.cost_meter.record_shard(spec, candidates, seconds)
        # Wait until the shard before is stored, so that a slow store cannot fill the memory with rendered shards.
        self.storing_slot.acquire()
        self.storing_thread.submit(self._store_in_background, task, shard, spec, candidates)
        return Outcome.STORING

    def _find_model(self, task: Task, spec: JobSpec) -> LoadedModel | Outcome:
        """Return the model that renders a job's images; or the task's outcome if it must be distilled first."""
        model, style = self.engine.model(spec.model), spec.style
        if style is None or style.mode == "standard" or style.strength == 0:
            return model
        if self.distiller is None:
            raise no_weights()
        return self.distiller.find_or_distil(task, model, style, spec.owner)

    def _store_in_background(self, task: Task, shard: int, spec: JobSpec, candidates: list[Candidate]) -> None:
        """Store a shard in the storing thread, while the next one is rendered."""
        try:
            self.heartbeat.mark_rendered(task)
            with self._attempt(task, spec) as attempt:
                self._store(task, shard, spec, candidates)
            if attempt.outcome is Outcome.DEFERRED:
                # Its entry has left the queue already. It brings no successor, because that one is queued, too.
                self._enqueue(spec, Task.render_shard(spec.id, shard))
        except SystemExit:
            log.critical("the device is unusable, so this process ends", extra=fields(job_id=spec.id, shard=shard))
            end_process()  # in this thread, SystemExit would end nothing
        finally:
            self.storing_slot.release()

    def _store(self, task: Task, shard: int, spec: JobSpec, candidates: list[Candidate]) -> None:
        kept = [(candidate.image, candidate.verdict.score) for candidate in candidates if candidate.image is not None]
        images, scores = [image for image, _ in kept], [score for _, score in kept if score is not None]
        with self.heartbeat.counts.timed("storing", spec.style_mode):
            data, table, member = layout_of(spec).lay_out(spec, shard, images, scores)
            self.store_check.needed_bytes = len(data)
            rejections = candidate_table(spec, candidates)
            is_first = self.store.shards.commit(spec.id, shard, data, table, member, rejections)
        self.store_check.record_success()
        self.heartbeat.publish_shard_committed(spec.id)
        if is_first:
            self._count(spec, len(candidates), images)
        else:
            self.heartbeat.counts.count("shards_rejected")
        self.heartbeat.report_progress(task, len(images))
        # The worker that commits the last shard finishes the job. Two workers may see that; the first state counts.
        if self.store.choices.is_complete(spec, self.store.shards.committed(spec.id)):
            self.finisher.succeed(task, spec)

    def _count(self, spec: JobSpec, candidates: int, images: list[EncodedImage]) -> None:
        counts, labels = self.heartbeat.counts, (spec.model.name, spec.style_mode)
        counts.count("images_rendered", *labels, by=candidates)
        counts.count("images_stored", *labels, spec.format, by=len(images))
        counts.count("bytes_stored", *labels, spec.format, by=sum(len(image.data) for image in images))

    @tolerating_outage(default=None)
    def _enqueue(self, spec: JobSpec, task: Task) -> None:
        self.task_queue.enqueue(spec, [task])
