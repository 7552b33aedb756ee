"""`python -m benchmarks.reliability.worker FOLDER`: the real worker, except that it waits at breakpoints.

Moments of the second shard have breakpoints, so that a job has one shard before and some after it.
"""

import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from rq import Queue
from rq.job import Job
from torch import Tensor

from benchmarks.reliability.breakpoints import Breakpoints
from worker.cli import worker
from worker.contracts.formats import Format
from worker.contracts.job_state import JobState
from worker.contracts.queue.tasks import Task
from worker.contracts.store.job_store import JobStore
from worker.contracts.store.object_store import Objects
from worker.queue.rq_worker import RqWorker
from worker.queue.shard_renderer import ShardRenderer

_SHARD = 1


def with_breakpoints(breakpoints: Breakpoints) -> ExitStack:
    """Set a breakpoint before each of the moments, in this process."""
    execute, render, create, finish = RqWorker.execute_job, ShardRenderer.render, Objects.create, JobStore.finish

    def execute_at_breakpoint(self: RqWorker, job: Job, queue: Queue) -> None:
        breakpoints.wait_at("popped" if job.id.endswith(f"-{_SHARD}") else "queued")
        execute(self, job, queue)

    def render_at_breakpoint(self: ShardRenderer, task: Task, *rest: Any) -> Any:  # noqa: ANN401
        renderer = self.renderer

        def encode_at_breakpoint(images: Tensor, kind: Format) -> list[bytes]:
            breakpoints.wait_at("rendering")
            return renderer.encode(images, kind)

        stopping = replace(self, renderer=replace(renderer, encode=encode_at_breakpoint))
        return render(stopping if task.shard == _SHARD else self, task, *rest)

    def create_at_breakpoint(self: Objects, path: str, data: bytes) -> bool:
        if path.endswith(f"/shards/{_SHARD:05d}.json"):
            breakpoints.wait_at("committing")
        return create(self, path, data)

    def finish_at_breakpoint(self: JobStore, job_id: str, state: JobState) -> bool:
        breakpoints.wait_at("finalising")
        return finish(self, job_id, state)

    stack = ExitStack()
    stack.enter_context(patch.object(RqWorker, "execute_job", execute_at_breakpoint))
    stack.enter_context(patch.object(ShardRenderer, "render", render_at_breakpoint))
    stack.enter_context(patch.object(Objects, "create", create_at_breakpoint))
    stack.enter_context(patch.object(JobStore, "finish", finish_at_breakpoint))
    return stack


if __name__ == "__main__":
    with with_breakpoints(Breakpoints(Path(sys.argv[1]))):
        worker()
