"""Renders a few images of each model when a worker starts, to measure their costs before the first job."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from statistics import fmean, pstdev
from typing import get_args

from worker.contracts.costs import FileSizes, ModelCosts
from worker.contracts.cut import Cut
from worker.contracts.formats import ARCHIVE_VERSION, Format
from worker.contracts.jobs import JobSpec
from worker.contracts.selection import Selection
from worker.renderer import Renderer
from worker.rendering.candidate import Candidate
from worker.rendering.loaded_model import LoadedModel

_IMAGES_OF_A_CLASS, _MIN_IMAGES = 16, 64
"""Size of the sample. The size of a file varies by about a fifth within a class, so their mean varies by 5 %."""
_MIN_BLOCKS = 3
"""Smallest number of blocks of a sample. The fastest one counts, because other programs only slow blocks down."""
_MAX_SECONDS = 0.25
"""Time limit of the sample of one format. A sample always has at least one block: a batch for each thread."""
_SEED = 0
_SPEC_ID = "sample" + 16 * "-"


def measure_costs(model: LoadedModel, renderer: Renderer) -> ModelCosts:
    """Measure the costs of a model's images: sizes and times of each format, and the time of the quality gate."""
    sizes, seconds = dict[Format, FileSizes](), dict[Format, float]()
    _render(model, renderer, _sample_spec(model, "npz"))  # the first calls of a thread take longer
    for kind in get_args(Format):
        candidates, seconds[kind] = _render(model, renderer, _sample_spec(model, kind))
        sizes[kind] = _file_sizes(model, candidates)
    # On a CPU, each thread draws a part of its own. On a GPU, the parts of all threads follow one another.
    together = model.portion_size(1, renderer.threads) * (renderer.threads if _is_cpu(model) else 1)
    scoring = _score_seconds(model, renderer)
    return ModelCosts(sizes=sizes, together=together, image_seconds=seconds, candidate_seconds=scoring)


def _score_seconds(model: LoadedModel, renderer: Renderer) -> float | None:
    """Return the time to score one candidate; None without a gate."""
    if model.gate is None:
        return None
    # The gate rejects all images but the best, so hardly any is drawn.
    rejecting = Selection(gate=model.gate.sha256, keep=1)
    return _render(model, renderer, _sample_spec(model, "png", rejecting))[1]


def _render(model: LoadedModel, renderer: Renderer, spec: JobSpec) -> tuple[list[Candidate], float]:
    """Render a sample. Returns its candidates, and the seconds of one of them."""
    candidates, together = list[Candidate](), model.batch_size * renderer.threads
    # On a CPU, the time that all threads compute is the better clock: programs that start now do not change it.
    is_cpu = _is_cpu(model)
    times, deadline = [_now(is_cpu)], time.perf_counter() + _MAX_SECONDS
    for start in range(0, max(spec.n, _MIN_BLOCKS * together), together):
        block = range(start, start + together)
        candidates += [each for part in renderer.render(spec, model, block, lambda: True) for each in part]
        times.append(_now(is_cpu))
        if time.perf_counter() > deadline:
            break
    fastest = min(end - began for began, end in pairwise(times))
    return candidates, fastest / together / (renderer.threads if is_cpu else 1)


def _is_cpu(model: LoadedModel) -> bool:
    return model.device.type == "cpu"


def _now(is_cpu: bool) -> float:
    return time.process_time() if is_cpu else time.perf_counter()


def _file_sizes(model: LoadedModel, candidates: Sequence[Candidate]) -> FileSizes:
    labels = model.labels(range(len(candidates))) or [0] * len(candidates)
    by_class: dict[int, list[int]] = {label: [] for label in sorted(set(labels))}
    for label, candidate in zip(labels, candidates, strict=True):
        if candidate.image is not None:
            by_class[label].append(len(candidate.image.data))
    means = [fmean(found) for found in by_class.values()]
    if len(means) < len(model.entry.classes):  # with very many classes, the sample has too few images of each
        means = [fmean(means)] * len(model.entry.classes)
    deviation = fmean(pstdev(found) / fmean(found) for found in by_class.values())
    return FileSizes(mean_bytes=tuple(means), deviation=deviation, images=len(candidates) // len(means))


def _sample_spec(model: LoadedModel, kind: Format, selection: Selection | None = None) -> JobSpec:
    """Return a job that is only rendered here, and never stored."""
    return JobSpec(
        id=_SPEC_ID,
        model=model.entry,
        class_label=None,
        n=1 if kind == "npz" else max(_MIN_IMAGES, _IMAGES_OF_A_CLASS * len(model.entry.classes)),
        seed=_SEED,
        format=kind,
        archive_version=ARCHIVE_VERSION,
        selection=selection,
        cut=Cut(first=1, most=1),
        created=datetime.now(UTC),
    )
