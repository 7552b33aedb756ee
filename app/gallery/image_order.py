"""The order of the images in a gallery: by index or score, of all classes or one."""

from array import array
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from app.errors import join_names, quote_value, unprocessable
from app.gallery.picks import PicksStore
from app.jobs.job_reader import not_available
from app.schemas.gallery import GalleryQuery
from app.schemas.responses import Job
from worker.contracts.jobs import JobSpec
from worker.contracts.store.choice_store import ChosenImages
from worker.contracts.store.store import Store

_MOST_ORDERS = 16
"""Number of remembered orders. One of 100 000 images takes 400 kB."""
_Key = tuple[str, int, str | None, str]


class ImageOrders:
    """Computes the orders of images. Raises ApiError."""

    def __init__(self, store: Store, picks: PicksStore) -> None:
        self._store = store
        self._picks = picks
        self._recent: OrderedDict[_Key, array[int]] = OrderedDict()
        self._lock = Lock()

    def order(self, spec: JobSpec, job: Job, query: GalleryQuery) -> Sequence[int]:
        """Return the committed images of a job in the order of a query, as offsets: index minus `spec.first`.

        While the job runs, images are only added at the end. So an order by score exists after its end only.
        """
        _check_query(spec, job, query)
        known = self._images(spec, job)
        order: Sequence[int] = known.offsets
        if query.class_label is not None or query.sort != "index":
            order = self._find_or_sort(spec, known, query)
        if query.show == "all":
            return order
        excluded = {index - spec.first for index in self._picks.read(spec).exclude}
        is_shown = excluded.__contains__ if query.show == "excluded" else lambda offset: offset not in excluded
        return array("I", filter(is_shown, order))

    def _images(self, spec: JobSpec, job: Job) -> ChosenImages:
        if spec.selection is None:
            return ChosenImages(range(job.images_committed or 0), ())
        return self._store.choices.images(spec)

    def _find_or_sort(self, spec: JobSpec, known: ChosenImages, query: GalleryQuery) -> "array[int]":
        key = (spec.id, len(known.offsets), query.class_label, query.sort)
        with self._lock:
            found = self._recent.get(key)
            if found is not None:
                self._recent.move_to_end(key)
                return found
        order = _sort(spec, known, query)
        with self._lock:
            self._recent[key] = order
            if len(self._recent) > _MOST_ORDERS:
                self._recent.popitem(last=False)
        return order


def _sort(spec: JobSpec, known: ChosenImages, query: GalleryQuery) -> "array[int]":
    offsets = known.offsets
    positions: Sequence[int] = range(len(offsets))
    if query.class_label is not None:
        wanted = spec.classes.index(query.class_label)
        labels = spec.labels([spec.first + offset for offset in offsets])
        positions = [position for position, label in enumerate(labels) if label == wanted]
    if query.sort != "index":
        # Sorting is stable in both directions: images of one score stay in the order of their indices.
        positions = sorted(positions, key=known.scores.__getitem__, reverse=query.sort == "best")
    return array("I", (offsets[position] for position in positions))


def _check_query(spec: JobSpec, job: Job, query: GalleryQuery) -> None:
    classes = spec.classes
    if query.class_label is not None and query.class_label not in classes:
        detail = f"class: must be one of {join_names(classes)}, got {quote_value(query.class_label)}"
        raise unprocessable("unknown_class", detail)
    if query.sort == "index":
        return
    if not spec.scores_images:
        detail = f"sort: the images of job {spec.id} have no scores; jobs with keep or copies=drop have them"
        raise unprocessable("no_scores", detail)
    if job.state != "succeeded":
        raise not_available(job, "the order by score")
