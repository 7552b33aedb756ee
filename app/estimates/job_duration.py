"""The expected duration of a job. All constants of time that workers do not measure are in this module."""

import math
from collections.abc import Sequence

from app.estimates.expected_tries import rendered_candidates
from app.schemas.estimates import EstimatedSeconds
from worker.contracts.costs import ModelCosts, WorkerCosts
from worker.contracts.jobs import JobSpec
from worker.contracts.queue.task_queue import WaitingTask
from worker.contracts.selection import BEST_SCORE

_ACCEPT_SECONDS = 0.004
"""Time from a request until a worker renders, and from the last commit until the client knows."""
_SHARD_SECONDS = 0.006
"""Time between two shards of a worker, and of the slow start of a shard."""
_STORE_BYTE_SECONDS = 4e-9
"""Time to store a byte. It is spent beside rendering, on the same cores."""
_CHOICE_SECONDS = 25e-6
"""Time to decide about a candidate, and to list it in the index of its shard."""
_CLOSE_SECONDS, _CLOSE_IMAGE_SECONDS = 0.002, 20e-6
"""Time to write the end of an archive, and the part of it that grows with each image."""
_GRID_IMAGES, _GRID_IMAGE_SECONDS = 24, 250e-6
"""Largest number of images in the grid of an archive, and the time to draw each."""
_TURN_SECONDS = 1.0
"""Time of a full-sized shard. Waiting jobs alternate after each shard."""
_OLD_STYLE_GROUP_IMAGES = 4
"""Number of images that one thread of an older worker styles together."""


class UnknownDurationError(Exception):
    """A worker has not measured a part of the duration yet. The message is a sentence for the user."""


def job_duration(
    spec: JobSpec,
    archive_bytes: int,
    workers: Sequence[WorkerCosts],
    waiting: tuple[Sequence[WaitingTask], Sequence[WaitingTask]],
    *,
    is_learnt: bool,
) -> EstimatedSeconds:
    """Return the duration of a job. `waiting` are the tasks of short and of long jobs that are queued before it.

    At least one of the workers has measured the model. Raises UnknownDurationError.
    """
    sha256, style = spec.model.sha256, spec.style
    able = [(worker, worker.models[sha256]) for worker in workers if sha256 in worker.models]
    learning = 0.0
    if style is not None and style.mode == "distilled" and not is_learnt:
        steps = [costs.learning_seconds for _, costs in able if costs.learning_seconds is not None]
        if not steps:
            raise UnknownDurationError("seconds: no live worker has learnt a style since its start, so it is unknown")
        learning = style.steps * min(steps)
    # The workers share the shards of a job, so their rates add up.
    rates = sorted((1 / _rendering_seconds(spec, *each) for each in able), reverse=True)
    usable = min(len(rates), _shards(spec))
    storing = _SHARD_SECONDS * _shards(spec) + _STORE_BYTE_SECONDS * archive_bytes
    rendering = 1 / sum(rates[:usable]) + storing / usable
    closing = _CLOSE_SECONDS + _CLOSE_IMAGE_SECONDS * spec.n + _GRID_IMAGE_SECONDS * min(spec.n, _GRID_IMAGES)
    before = _waiting_seconds(spec, able[0][1], waiting) / len(able)
    total = before + learning + rendering + closing + _ACCEPT_SECONDS
    parts = (total, before, learning, rendering, closing)
    return EstimatedSeconds(**dict(zip(EstimatedSeconds.model_fields, (round(part, 4) for part in parts), strict=True)))


def _rendering_seconds(spec: JobSpec, worker: WorkerCosts, costs: ModelCosts) -> float:
    """Return the time in which one worker alone renders a job."""
    candidates, style = rendered_candidates(spec), spec.style
    keep = spec.selection.keep / BEST_SCORE if spec.selection else 1.0
    drawn = max(candidates * keep, costs.together)
    seconds = drawn * costs.image_seconds[spec.format]
    if spec.selection is not None:
        scoring = costs.candidate_seconds if spec.scores_images else None
        seconds += candidates * (_CHOICE_SECONDS + (scoring or 0.0))
    if style is None or style.mode != "standard":
        return seconds
    if costs.styling_seconds is None:
        raise UnknownDurationError("seconds: no live worker has styled an image since its start, so it is unknown")
    together = worker.styled_together or _OLD_STYLE_GROUP_IMAGES * worker.threads
    return seconds + together * math.ceil(drawn / together) * style.steps * costs.styling_seconds


def _waiting_seconds(
    spec: JobSpec, costs: ModelCosts, waiting: tuple[Sequence[WaitingTask], Sequence[WaitingTask]]
) -> float:
    """Return the time that one worker spends on other jobs before this one ends.

    Short jobs are served first. Each long job has a turn before each shard of this one, as long as it lasts.
    """
    short, long = waiting
    seconds = sum(_ACCEPT_SECONDS + _task_seconds(task, costs) for task in short)
    if spec.is_short:
        return seconds + (_TURN_SECONDS / 2 if long else 0.0)  # half of the shard that is rendered now
    return seconds + sum(min(_task_seconds(task, costs), _shards(spec) * _TURN_SECONDS) for task in long)


def _task_seconds(task: WaitingTask, costs: ModelCosts) -> float:
    """Return the time that a waiting job still needs, as if it had this model."""
    return task.images * (costs.image_seconds["png"] + task.style_steps * (costs.styling_seconds or 0.0))


def _shards(spec: JobSpec) -> int:
    return spec.cut.shard_of(spec.expected_candidates - 1) + 1
