"""The specification of a job that replaces images that the user has thrown out of a dataset."""

from bisect import bisect_left
from collections.abc import Collection, Sequence

from app.errors import unprocessable
from app.jobs.extension import whole
from worker.contracts.jobs import JobSpec
from worker.contracts.pieces import Ancestor
from worker.contracts.selection import MAX_EXCLUDED, Selection
from worker.contracts.store.store import Store

_QUOTED_INDICES = 5
"""Largest number of indices that an error quotes."""


def curated(store: Store, spec: JobSpec, excluded: Collection[int]) -> JobSpec:
    """Return the job of the same dataset without some images. The next images of their classes replace them.

    The images of the succeeded job `spec` are not rendered again. They must not have expired. Raises ApiError if the
    dataset does not have one of the images.
    """
    _check_excluded(store, spec, excluded)
    selection = spec.selection or Selection()
    stop = store.choices.current(spec).next_index if spec.selection else spec.first + spec.n
    ancestor = Ancestor(job=spec.id, n=spec.n - len(excluded), stop=stop)
    update = {
        "selection": selection.model_copy(update={"excluded": tuple(sorted({*selection.excluded, *excluded}))}),
        "curates": spec.id,
    }
    return whole(spec).model_copy(update={**update, "ancestors": (*spec.ancestors, ancestor)})


def _check_excluded(store: Store, spec: JobSpec, excluded: Collection[int]) -> None:
    known = len(spec.selection.excluded) if spec.selection else 0
    if known + len(excluded) > MAX_EXCLUDED:
        before = f", and {known} were excluded before" if known else ""
        detail = f"exclude: at most {MAX_EXCLUDED} images of a dataset can be replaced, got {len(excluded)}{before}"
        raise unprocessable("too_many_excluded", detail)
    if len(excluded) >= spec.n:
        raise unprocessable(
            "too_many_excluded", f"exclude: all {spec.n} images; request a job with another seed instead"
        )
    if missing := sorted(index for index in excluded if not _has_image(store, spec, index)):
        quoted = ", ".join(map(str, missing[:_QUOTED_INDICES])) + (", ..." if len(missing) > _QUOTED_INDICES else "")
        detail = f"exclude: job {spec.id} has no image of index {quoted}"
        raise unprocessable("unknown_image", f"{detail}; send indices of its dataset, as its metadata has them")


def _has_image(store: Store, spec: JobSpec, index: int) -> bool:
    if spec.selection is None:
        return spec.first <= index < spec.first + spec.n
    offsets = store.choices.images(spec).offsets
    return _contains(offsets, index - spec.first)


def _contains(ascending: Sequence[int], value: int) -> bool:
    position = bisect_left(ascending, value)
    return position < len(ascending) and ascending[position] == value
