"""Maps a job's specification, state and progress to the Job that the API returns. Pure."""

import math
from datetime import datetime

from app.archive_name import archive_suffix
from app.cluster.cluster_state import Progress
from app.jobs.job_yield import job_yield, requested_counts
from app.path_prefix import add_prefix
from app.schemas.responses import Job, Links, PublicJobError
from worker.contracts.choice import Choice
from worker.contracts.formats import SUFFIXES
from worker.contracts.job_state import JobState
from worker.contracts.jobs import JobSpec
from worker.contracts.selection import BEST_SCORE, Selection
from worker.contracts.splits import split_indices


def job_view(
    spec: JobSpec,
    state: JobState | None,
    progress: Progress,
    now: datetime,
    choice: Choice | None = None,
    committed: int | None = None,
) -> Job:
    """Return the API's view of a job. For an ended job, `now` is the time of its end.

    `choice` is that of a job with a selection, if its shards can be read. `committed` is the number of stored images.
    """
    selection = spec.selection or Selection()
    done = _images_done(spec, state, progress, choice)
    is_known = choice is not None and (choice.is_complete or state is None or state.outcome != "succeeded")
    kept = job_yield(spec, choice) if choice is not None and is_known else None
    new = done - spec.inherited
    rate = _rate(new, now.timestamp() - _rendering_start(spec, progress.started, now)) if progress.started else None
    # Redis may have lost when rendering started. The images that the reconciler counted again show it, too.
    is_rendering = state is None and bool(progress.started or new > 0)
    is_learning = state is None and not is_rendering and progress.learnt is not None
    return Job(
        id=spec.id,
        state=state.outcome if state else ("running" if is_rendering or is_learning else "queued"),
        phase="learning style" if is_learning else "rendering" if is_rendering else None,
        done=state is not None,
        name=spec.name or None,
        model=spec.model.name,
        model_sha256=spec.model.sha256,
        resolution=spec.model.resolution,
        n=spec.n,
        seed=spec.seed,
        class_label=spec.class_label,
        classes=requested_counts(spec),
        keep=selection.keep / BEST_SCORE if selection.keep < BEST_SCORE else None,
        copies="drop" if selection.drops_copies else "keep",
        distinct=selection.distinct,
        split=spec.split,
        start=spec.first - split_indices(spec.split).start,
        next_start=_next_start(spec, choice),
        format=spec.format,
        layout=None if spec.format == "npz" else spec.packing,
        style=spec.style,
        around=spec.around,
        between=spec.between,
        extends=spec.ancestors[-1].job if spec.ancestors and not spec.curates else None,
        curates=spec.curates,
        excluded=len(selection.excluded),
        images_done=done,
        images_committed=committed,
        images_total=spec.n,
        tried=kept.tried if kept else None,
        yield_=kept,
        style_learnt=progress.learnt if is_learning else None,
        images_per_s=rate,
        eta_seconds=round((spec.n - done) / rate, 1) if rate and state is None else None,
        created=spec.created,
        finished=state.finished if state else None,
        expires=state.expires(spec) if state else None,
        error=PublicJobError(**dict(state.error)) if state and state.error else None,
        links=links_of(spec),
    )


def _images_done(spec: JobSpec, state: JobState | None, progress: Progress, choice: Choice | None) -> int:
    """Return how many images of the dataset exist. A job with a selection counts those that it has kept."""
    if state is not None and state.outcome == "succeeded":
        return spec.n
    if spec.selection is None or (choice is None and state is None):
        return min(spec.n, spec.inherited + sum(progress.images.values()))
    return sum(choice.kept) if choice is not None else spec.inherited


def _next_start(spec: JobSpec, choice: Choice | None) -> int | None:
    if spec.selection is None:
        following = spec.first + spec.n
    elif choice is not None and choice.is_complete:
        following = choice.next_index
    else:
        return None
    return following - split_indices(spec.split).start


def _rendering_start(spec: JobSpec, started: float, now: datetime) -> float:
    """Return when rendering started, in seconds since the epoch: the worker's time, or the request's if that is later.

    Times in the future are ignored, because clocks of hosts differ.
    """
    known = (spec.created.timestamp(), started)
    return max((time for time in known if time <= now.timestamp()), default=math.inf)


def _rate(done: int, seconds: float) -> float | None:
    return round(done / seconds, 1) if done and seconds > 0 else None


def links_of(spec: JobSpec) -> Links:
    """Return the URLs of a job."""
    base = add_prefix(f"/jobs/{spec.id}")
    image = None if spec.format == "npz" else f"{base}/images/{{index}}.{SUFFIXES[spec.format]}"
    return Links(
        self_=base,
        download=f"{base}/download.{archive_suffix(spec.format, spec.packing)}",
        cancel=f"{base}/cancel",
        retry=f"{base}/retry",
        rebuild=f"{base}/rebuild",
        croissant=f"{base}/croissant.json",
        extend=f"{base}/extend",
        curate=f"{base}/curate",
        sheet=f"{base}/sheets/{{k}}.jpg",
        image=image,
    )
