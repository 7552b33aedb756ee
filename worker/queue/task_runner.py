"""The two tasks that a worker does: render one shard, close one job."""

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
from worker.contracts.queue.redis_keys import learning_key
from worker.contracts.queue.task_queue import TaskQueue
from worker.contracts.queue.tasks import Task
from worker.contracts.store.store import Store
from worker.contracts.store.store_errors import StoreError
from worker.contracts.styles import StyleSpec
from worker.contracts.throttled_log import ThrottledLogger
from worker.errors import WorkerCrashedError
from worker.queue.failure import failure_of
from worker.queue.heartbeat import Heartbeat, OutageTolerated
from worker.queue.outcome import Outcome
from worker.queue.store_check import StoreCheck
from worker.queue.watchdog import Watchdog
from worker.renderer import Renderer, no_weights
from worker.rendering.encoding import EncodedImage
from worker.rendering.engine import LoadedModel, RenderEngine
from worker.style.distilled_models import DistilledModels

_MAX_CRASHES = 3
BEAT_SECONDS = 0.2
"""Between two reports of progress, and the longest that a cancelled job is worked at beside one batch."""

_RENEW_SHARDS = 32
"""Read for the end of a job between two renewals of its lease: a few seconds in a distant bucket, of a lease's 15."""

_LEARN_SECONDS = 2.0
"""That a job may learn its style for, before others have their turn."""

_LESSON_SECONDS = 0.5
"""That a worker waits for another one to get on with a style that its own job needs, too."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TaskRunner:
    """Does tasks. Whatever happens ends in the store, so nothing is raised for the queue to handle."""

    store: Store
    runtime: RenderEngine
    pulse: Heartbeat
    line: TaskQueue
    mills: Renderer
    storing: Executor
    """Which stores a shard."""
    settling: Executor
    """Which forces to the disk what has ended."""
    stopping: Event
    watchdog: Watchdog
    store_check: StoreCheck
    offers: frozenset[str]
    """What this worker has, by the names of `needs`. Other tasks are left to other workers."""
    distillery: DistilledModels | None = None
    """Lets generators learn styles, where there is what it needs."""
    room: Semaphore = field(default_factory=Semaphore)
    """For one shard that waits to be stored."""
    trouble: ThrottledLogger = field(default_factory=lambda: ThrottledLogger(log))

    def run(self, task: Task) -> Outcome:
        """Do one task, unless it is settled already or another worker is at it."""
        try:
            spec = self.store.jobs.spec(task.job_id)
            if spec is None or self.store.jobs.state(spec.id) is not None:
                return Outcome.SETTLED
            if task.shard is not None and spec.needs not in self.offers:
                return Outcome.ELSEWHERE
            if not self.pulse.take_lease(task.lease_key):
                return Outcome.SETTLED
        except Exception as error:
            return self._drop(task, error)
        with self.watchdog:
            return self._guarded(task, spec, lambda: self._do(task, spec))

    def _guarded(self, task: Task, spec: JobSpec, work: Callable[[], Outcome]) -> Outcome:
        """Do a part of a task; unless another part follows, give its lease back."""
        outcome = Outcome.SETTLED
        try:
            outcome = self._ending_in_the_store(task, spec, work)
        except torch.AcceleratorError as error:
            raise SystemExit(1) from error  # nothing works in this process after that; its supervisor starts another
        except Exception as error:
            outcome = self._drop(task, error)
        if outcome is not Outcome.STORING:
            self.pulse.release(task)
        return outcome

    def _drop(self, task: Task, error: Exception) -> Outcome:
        """Leave a task, as the store is in trouble.

        Where this worker cannot use the store at all, the task goes to the end of the line, for others. Otherwise the
        trouble is with this job, and the reconciler brings the task back.
        """
        known = (task.job_id, task.shard, error)
        if isinstance(error, (StoreError, OSError)):
            self.trouble.warning("task was dropped job_id=%s shard=%s reason=%s", *known)
        else:
            self.trouble.warning("task was dropped unexpectedly job_id=%s shard=%s reason=%s", *known, exc_info=error)
        self.pulse.tally.count("tasks_dropped")
        return Outcome.LATER if self.store_check.dropped(error) else Outcome.SETTLED

    def _ending_in_the_store(self, task: Task, spec: JobSpec, work: Callable[[], Outcome]) -> Outcome:
        """Do a part of a task; a mistake of ours ends the job."""
        try:
            return work()
        except (StoreError, OSError, torch.AcceleratorError):
            raise
        except Exception as error:
            failure = failure_of(error)
            log.exception("job failed job_id=%s shard=%s code=%s", spec.id, task.shard, failure.code)
            self._fail(spec, failure)
            return Outcome.SETTLED

    def _do(self, task: Task, spec: JobSpec) -> Outcome:
        crashes = self.pulse.crashed_attempts(task)
        if crashes:
            self.pulse.tally.count("attempts_crashed")  # those before the last one are counted already
        if crashes >= _MAX_CRASHES:
            raise WorkerCrashedError(f"{crashes} workers died at the same part of this job")
        if task.shard is None:
            self._finalise(task, spec)
            return Outcome.SETTLED
        return self._render_shard(task, task.shard, spec)

    def _render_shard(self, task: Task, shard: int, spec: JobSpec) -> Outcome:
        if shard >= spec.shard_count or self.store.shards.index(spec.id, shard) is not None:
            return Outcome.SETTLED
        model = self._model(task, spec)
        if isinstance(model, Outcome):
            return model
        self._bring_next(task, spec)
        began = time.perf_counter()
        with self.pulse.tally.timed("rendering", _mode(spec)):
            images = self._render(task, spec, model, spec.shard_indices(shard))
        if images is None:
            return Outcome.GIVEN_BACK if self.stopping.is_set() else Outcome.SETTLED
        if spec.style is None:
            self.pulse.images_per_s = len(images) / (time.perf_counter() - began)
        self.pulse.rendered(task)
        self.room.acquire()
        self.storing.submit(self._store_next, task, shard, spec, images)
        return Outcome.STORING

    def _store_next(self, task: Task, shard: int, spec: JobSpec, images: list[EncodedImage]) -> None:
        """Store a shard, in its own thread, while the next one is rendered."""
        try:
            outcome = self._guarded(task, spec, lambda: self._store(task, shard, spec, images))
            if outcome is Outcome.LATER:
                with OutageTolerated():
                    self.line.enqueue(spec, [Task.render_shard(spec.id, shard)])
        finally:
            self.room.release()

    def _store(self, task: Task, shard: int, spec: JobSpec, images: list[EncodedImage]) -> Outcome:
        with self.pulse.tally.timed("storing", _mode(spec)):
            data, table, array = shard_layout.lay_out(spec, shard, images)
            self.store_check.needed_bytes = len(data)
            is_first = self.store.shards.commit(spec.id, shard, data, table, array)
        self.store_check.stored()
        self.pulse.ring_shard(spec.id)
        if is_first:
            self.pulse.tally.count("images_rendered", spec.model.name, _mode(spec), by=len(images))
        else:
            self.pulse.tally.count("shards_rejected")
        self.pulse.beat(task, len(images))
        if len(self.store.shards.committed(spec.id)) == spec.shard_count:
            self._finalise(task, spec)
        return Outcome.SETTLED

    def _bring_next(self, task: Task, spec: JobSpec) -> None:
        """Queue the job's next shard, behind what waits already: long jobs take turns, and share all workers."""
        with OutageTolerated():
            if task.successor:
                self.line.enqueue(spec, [task.successor])

    def _model(self, task: Task, spec: JobSpec) -> LoadedModel | Outcome:
        """Find what renders a job's images; or learn for a while, and tell what is to become of the task then."""
        model, style = self.runtime.model(spec.model), spec.style
        if style is None or style.mode == "standard" or style.strength == 0:
            return model
        if self.distillery is None:
            raise no_weights()
        return self.distillery.model(model, style, spec.owner) or self._learn(task, model, style, spec.owner)

    def _learn(self, task: Task, model: LoadedModel, style: StyleSpec, owner: str) -> LoadedModel | Outcome:
        """Let a generator learn a style for a few seconds, so that other jobs get their turns in between."""
        distillery = cast(DistilledModels, self.distillery)
        lease = learning_key(style.lesson(model.entry, owner))
        if not self.pulse.take_lease(lease):
            self.stopping.wait(_LESSON_SECONDS)  # another worker is at it
            return Outcome.LATER
        if learnt := distillery.model(model, style, owner):  # by the one who has just given the lease back
            self.pulse.drop_lease(lease)
            return learnt
        turn: float | None = None
        outcome: Outcome | None = None

        def goes_on(share: float) -> bool:
            nonlocal turn, outcome
            now = time.monotonic()
            self.watchdog.pat()
            turn = turn or now + _LEARN_SECONDS  # from the first step on, so that there is one
            if self.pulse.learn(task, share, lease):
                outcome = Outcome.SETTLED
            elif self.stopping.is_set():
                outcome = Outcome.GIVEN_BACK
            elif now > turn:
                outcome = Outcome.LATER
            return outcome is None

        try:
            with self.pulse.tally.timed("learning", style.mode):
                distillery.train(model, style, owner, goes_on)
        finally:
            self.pulse.drop_lease(lease)
        return outcome or distillery.model(model, style, owner) or Outcome.LATER

    def _render(self, task: Task, spec: JobSpec, model: LoadedModel, indices: range) -> list[EncodedImage] | None:
        """Render one shard; None when it was interrupted."""
        images: list[EncodedImage] = []
        self.pulse.beat(task, 0)
        beaten, unwanted = time.monotonic(), Event()

        def is_wanted() -> bool:
            self.watchdog.pat()
            return not unwanted.is_set()

        try:
            for batch in self.mills.render(spec, model, indices, is_wanted):
                images += batch
                if batch:
                    self.watchdog.pat()
                if self.stopping.is_set():
                    return None
                if time.monotonic() - beaten > BEAT_SECONDS:
                    beaten = time.monotonic()
                    if self.pulse.beat(task, len(images)):
                        return None
        finally:
            unwanted.set()
        return images

    def _finalise(self, task: Task, spec: JobSpec) -> None:
        whole = []
        for number in range(spec.shard_count):
            shard = self.store.shards.index(spec.id, number)
            if shard is None:
                return
            whole.append(shard)
            if len(whole) % _RENEW_SHARDS == 0:
                self.pulse.renew(task)
        with self.pulse.tally.timed("closing", _mode(spec)):
            plan = self.store.archives.publish(spec.id, whole, build_tail(spec, whole))
        if self._finish(spec, "succeeded", None):
            log.info("job succeeded job_id=%s images=%d bytes=%d", spec.id, spec.n, plan.size)

    def _fail(self, spec: JobSpec, error: JobError) -> None:
        self._finish(spec, "failed", error)
        self.pulse.stop_siblings(spec.id)

    def _finish(self, spec: JobSpec, outcome: str, error: JobError | None) -> bool:
        started = self.pulse.started(spec.id)
        state = JobState.model_validate(
            {"outcome": outcome, "started": started, "finished": datetime.now(UTC), "error": error}
        )
        is_first = self.store.jobs.finish(spec.id, state)
        if is_first:
            self.pulse.tally.count("jobs_ended", outcome)
        self.pulse.ring_end(spec.id)
        self.settling.submit(self._settle, spec)
        return is_first

    def _settle(self, spec: JobSpec) -> None:
        state = self.store.jobs.state(spec.id)
        if state is not None:
            self.store.jobs.settle(spec, state)


def _mode(spec: JobSpec) -> str:
    return spec.style.mode if spec.style else "none"
