"""Renders one shard for the task runner: reports its progress, and ends early if the job needs no more images."""

import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from threading import Event

from worker.contracts.jobs import JobSpec
from worker.contracts.queue.tasks import Task
from worker.queue.background import Background, ProgressReports
from worker.queue.choice_tracker import ChoiceTracker
from worker.queue.heartbeat import Heartbeat
from worker.queue.watchdog import Watchdog
from worker.renderer import Renderer
from worker.rendering.blocks import block_of
from worker.rendering.candidate import Candidate
from worker.rendering.loaded_model import LoadedModel

REPORT_SECONDS = 0.2
"""Time between two reports of progress. A cancelled job stops after this time and one batch at most."""


@dataclass(frozen=True)
class ShardRenderer:
    """Renders shards, with regular reports."""

    renderer: Renderer
    heartbeat: Heartbeat
    watchdog: Watchdog
    stopping: Event
    choices: ChoiceTracker
    background: Background

    def render(self, task: Task, shard: int, spec: JobSpec, model: LoadedModel) -> list[Candidate] | None:
        """Render the candidates of one shard. Returns None if this worker stops or the job was cancelled.

        The result is shorter if the job has all its images before the end of the shard, and empty if it has them before
        the shard begins.
        """
        indices = spec.shard_indices(shard)
        candidates: list[Candidate] = []
        reports = ProgressReports(self.heartbeat, task, self.background)
        reports.report(0)
        reported, unwanted = time.monotonic(), Event()

        def is_wanted() -> bool:
            self.watchdog.pat()
            return not unwanted.is_set()

        try:
            with closing(self._parts(spec, shard, model, is_wanted)) as parts:
                for part in parts:
                    candidates += part
                    if part:  # an empty part only says that some time has passed
                        self.watchdog.pat()
                    if self.stopping.is_set():
                        reports.close()
                        return None
                    self.choices.add(spec, part)
                    end = self.choices.find_end(spec, shard)
                    if end is not None and end <= indices.start + len(candidates):
                        del candidates[max(0, end - indices.start) :]
                        return candidates
                    if time.monotonic() - reported > REPORT_SECONDS:
                        reported = time.monotonic()
                        reports.report(count_images(candidates))
                    if reports.is_cancelled:
                        return None
        finally:
            unwanted.set()  # threads that still work on this shard stop at their next step
        return candidates

    def _parts(
        self, spec: JobSpec, shard: int, model: LoadedModel, is_wanted: Callable[[], bool]
    ) -> Generator[list[Candidate]]:
        """Render a shard, but near the end of a job no more batches ahead than the job is expected to need."""
        left = spec.shard_indices(shard)
        while left:
            expected = max(1, self.choices.expected_candidates(spec, shard))
            size = block_of(left.start + expected - 1, model.batch_size).stop - left.start
            yield from self.renderer.render(spec, model, left[:size], is_wanted)
            left = left[size:]


def count_images(candidates: list[Candidate]) -> int:
    """Count the candidates that were not rejected."""
    return sum(candidate.image is not None for candidate in candidates)
