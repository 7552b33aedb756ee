"""The specification of a job that extends another one."""

from worker.contracts.jobs import JobSpec
from worker.contracts.pieces import Ancestor
from worker.contracts.store.store import Store


def extended(store: Store, spec: JobSpec, added: int) -> JobSpec:
    """Return the job of the same dataset with more images. Its id and its time of creation are still those of `spec`.

    The images of the succeeded job `spec` are not rendered again. They must not have expired.
    """
    stop = store.choices.current(spec).next_index if spec.selection else spec.first + spec.n
    ancestor = Ancestor(job=spec.id, n=spec.n, stop=stop)
    return prolonged(spec, added).model_copy(update={"ancestors": (*spec.ancestors, ancestor)})


def prolonged(spec: JobSpec, added: int) -> JobSpec:
    """Return the job of the same dataset with more images, which renders all of them itself."""
    return whole(spec).model_copy(update={"n": spec.n + added, "curates": None})


def whole(spec: JobSpec) -> JobSpec:
    """Return a job that renders all images of a dataset itself, also those that another job holds."""
    return spec.model_copy(update={"ancestors": (), "request": None, "is_address": False})
